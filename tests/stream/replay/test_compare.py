"""The verdict of a comparison, and what it says moved."""

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

import scoring.bundles
from schemas.events.bar import Bar
from schemas.score import Score
from scoring.catalog import scorers
from scoring.engine import InForce, judge
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.model.bundle import load_bundle
from scoring.publish import Coordinates
from scoring.score_writer import ScoreWriter
from stream.replay.compare import compare
from stream.replay.rows import SCHEMA, score_frame, served_frame

DAY_MS = 86_400_000


def scores(values, levels=None, events=None, reasons="A_HIGH") -> pl.DataFrame:
    """Scores of these values of one account."""
    height = len(values)
    levels = levels or ["alert" if value >= 0.95 else "none" for value in values]
    return pl.DataFrame(
        {
            "scorer": ["s"] * height, "entity": ["e"] * height, "event_id": events or [str(n) for n in range(height)],
            "occurred_at_ms": list(range(height)), "value": values, "level": levels, "flags": [""] * height,
            "depth": [0] * height, "reasons": [reasons if level == "alert" else "" for level in levels],
            "held_back": [False] * height, "shadow": [False] * height, "features": [b"1234"] * height,
            "bundle": ["b"] * height, "policy": ["p"] * height, "view": ["v"] * height,
            "outputs": [""] * height,
        },
        schema=SCHEMA,
    )  # fmt: skip


def test_the_same_scores_are_identical_whatever_their_order():
    """A topic's partitions come back in another order than a file's rows."""
    served = scores([0.1, 0.99, 0.5])
    assert compare(served, served[[2, 0, 1]]).verdict == "identical"


def test_a_difference_of_one_rounding_step_is_equal_within_tolerance():
    """Other processors round otherwise: that is told apart from a real change."""
    found = compare(scores([0.1, 0.949999]), scores([0.1, 0.95]))
    assert found.verdict == "equal within 1e-6, 1 levels differ"
    assert (found.alerts_gained, found.alerts_lost) == (1, 0)


def test_a_larger_difference_is_different_and_says_what_moved():
    """The what-if of another model: alerts gained and lost, by reason and entity."""
    found = compare(scores([0.99, 0.1, 0.2]), scores([0.5, 0.99, 0.2], reasons="B_HIGH"))
    assert found.verdict == "different"
    assert (found.alerts_gained, found.alerts_lost, found.levels_moved) == (1, 1, 2)
    moved = {row["reason"]: (row["gained"], row["lost"]) for row in found.by_reason}
    assert moved == {"A_HIGH": (0, 1), "B_HIGH": (1, 0)}


def test_a_missing_score_is_never_identical():
    """Losing a score is the worst difference of all."""
    found = compare(scores([0.1, 0.2]), scores([0.1]))
    assert (found.verdict, found.only_served) == ("different", 1)


def test_repeated_event_ids_are_compared_one_by_one():
    """Corrections and duplicates past the ring have the same id again."""
    served = scores([0.1, 0.2], events=["x", "x"])
    assert compare(served, served).joined == 2


@pytest.mark.parametrize("column", ["features", "flags", "depth", "reasons", "held_back", "outputs"])
def test_any_other_difference_ends_identical(column):
    """Canonical bytes: the value alone is not enough."""
    served = scores([0.1])
    other_values = {"features": b"4321", "flags": "late", "depth": 1, "reasons": "C", "held_back": True, "outputs": "{}"}
    changed = other_values[column]
    other = served.with_columns(pl.lit(changed, dtype=SCHEMA[column]).alias(column))
    assert compare(served, other).verdict != "identical"


def test_scorers_that_were_not_replayed_are_left_out():
    """Replaying one scorer against a topic of several compares that one."""
    served = pl.concat([scores([0.1]), scores([0.2]).with_columns(pl.lit("other").alias("scorer"))])
    assert compare(served, scores([0.1])).verdict == "identical"


def test_named_outputs_of_a_replay_are_those_that_were_served():
    """A value at risk that changed is a difference, though score and level stayed."""
    scorer = scorers()["bar_volatility"]
    bundle = load_bundle(Path(next(iter(scoring.bundles.__path__))) / "bar_volatility")
    in_force = InForce(scorer=scorer, bundle=bundle, policy=scorer.policy, live=True)
    bars = [Bar(event_id=f"b{day}", occurred_at_ms=day * DAY_MS, symbol="X", close=50.0 + day % 3) for day in range(30)]
    table = fold_table(scorer.view, EventBatch.from_events(scorer.event, bars))
    verdicts = judge(in_force, [table])[0]
    rows, writer = np.arange(30), ScoreWriter(in_force)
    replayed = score_frame(table, verdicts, rows)
    block = writer.write(verdicts, table, Coordinates("tests", "market-bars", 0, list(range(30))), rows)
    served = served_frame([msgspec.json.decode(output.value, type=Score) for output in block.outputs()])
    assert replayed["outputs"].str.json_path_match("$.value_at_risk[1]").cast(pl.Float64).max() < 0
    assert compare(served, replayed).verdict == "identical"
    verdicts.outputs[7, 2] *= 2
    assert compare(served, score_frame(table, verdicts, rows)).verdict != "identical"
