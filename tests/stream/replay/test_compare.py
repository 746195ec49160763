"""The verdict of a comparison, and what it says moved."""

import polars as pl
import pytest

from stream.replay.compare import compare
from stream.replay.rows import SCHEMA


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


@pytest.mark.parametrize("column", ["features", "flags", "depth", "reasons", "held_back"])
def test_any_other_difference_ends_identical(column):
    """Canonical bytes: the value alone is not enough."""
    served = scores([0.1])
    changed = {"features": b"4321", "flags": "late", "depth": 1, "reasons": "C", "held_back": True}[column]
    other = served.with_columns(pl.lit(changed, dtype=SCHEMA[column]).alias(column))
    assert compare(served, other).verdict != "identical"


def test_scorers_that_were_not_replayed_are_left_out():
    """Replaying one scorer against a topic of several compares that one."""
    served = pl.concat([scores([0.1]), scores([0.2]).with_columns(pl.lit("other").alias("scorer"))])
    assert compare(served, scores([0.1])).verdict == "identical"
