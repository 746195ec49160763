"""Two sets of scores of the same events side by side: are they the same, and if not, what moved."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

KEYS = ["scorer", "entity", "event_id", "occurrence"]
EXACT = ["level", "flags", "depth", "reasons", "held_back", "features", "outputs"]
TOLERANCE = 1e-6
_HALF_STEP = (
    5e-7  # values are published with 6 decimals: a difference of one step may be stored a hair above it
)
MOST_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a comparison found.

    Attributes:
        verdict: `identical`, `equal within 1e-6, N levels differ`, or `different`.
        joined, only_served, only_replayed: scores in both, and in one alone.
        alerts_gained, alerts_lost, levels_moved: of the replay against what was served.
        by_reason, by_entity: gained and lost alerts, the most frequent first.
    """

    verdict: str
    joined: int
    only_served: int
    only_replayed: int
    largest_difference: float
    features_differ: int
    alerts_gained: int
    alerts_lost: int
    levels_moved: int
    by_reason: list[dict[str, Any]] = field(default_factory=list)
    by_entity: list[dict[str, Any]] = field(default_factory=list)


def compare(served: pl.DataFrame, replayed: pl.DataFrame) -> Difference:
    """The difference of replayed scores to served ones, joined on scorer, entity, event id and occurrence.

    Coordinates and versions are left out: another partition or a retrained bundle with the same answers is the same.
    """
    before, after = _numbered(served), _numbered(replayed)
    scorers = after["scorer"].unique()
    before = before.filter(pl.col("scorer").is_in(scorers.implode()))
    both = before.join(after, on=KEYS, how="inner", suffix="_after")
    only_served, only_replayed = before.height - both.height, after.height - both.height
    moved = both.filter(pl.col("level") != pl.col("level_after"))
    gap = (both["value"] - both["value_after"]).abs().max()
    largest = float(gap) if isinstance(gap, float) else 0.0
    exact = both.filter(pl.any_horizontal(*(pl.col(name) != pl.col(f"{name}_after") for name in EXACT)))
    features = both.filter(pl.col("features") != pl.col("features_after")).height
    complete = only_served == only_replayed == 0
    if complete and largest == 0.0 and exact.is_empty():
        verdict = "identical"
    elif complete and largest <= TOLERANCE + _HALF_STEP:
        verdict = f"equal within 1e-6, {moved.height} levels differ"
    else:
        verdict = "different"
    gained = both.filter((pl.col("level_after") == "alert") & (pl.col("level") != "alert"))
    lost = both.filter((pl.col("level") == "alert") & (pl.col("level_after") != "alert"))
    return Difference(
        verdict=verdict, joined=both.height, only_served=only_served, only_replayed=only_replayed,
        largest_difference=largest, features_differ=features, alerts_gained=gained.height, alerts_lost=lost.height,
        levels_moved=moved.height,
        by_reason=_counted(_top_reason(gained, "reasons_after"), _top_reason(lost, "reasons"), "reason"),
        by_entity=_counted(gained["entity"], lost["entity"], "entity"),
    )  # fmt: skip


def _numbered(scores: pl.DataFrame) -> pl.DataFrame:
    occurrence = pl.int_range(pl.len()).over("scorer", "entity", "event_id").alias("occurrence")
    return scores.with_columns(occurrence)


def _top_reason(alerts: pl.DataFrame, column: str) -> pl.Series:
    return alerts[column].str.split(",").list.first().alias("reason")


def _counted(gained: pl.Series, lost: pl.Series, name: str) -> list[dict[str, Any]]:
    rows = pl.concat(
        [
            pl.DataFrame(
                {name: gained, "gained": 1, "lost": 0},
                schema={name: pl.String, "gained": pl.Int64, "lost": pl.Int64},
            ),
            pl.DataFrame(
                {name: lost, "gained": 0, "lost": 1},
                schema={name: pl.String, "gained": pl.Int64, "lost": pl.Int64},
            ),
        ]
    )
    counted = rows.group_by(name).agg(pl.col("gained").sum(), pl.col("lost").sum())
    return (
        counted.sort(pl.col("gained") + pl.col("lost"), name, descending=[True, False])
        .head(MOST_LISTED)
        .to_dicts()
    )
