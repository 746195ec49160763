"""Late events, events within grace, known ids, resets and vector history."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from scoring.features.spec import Count, History, Rolling, SinceLast
from scoring.features.table import CONFLICT, DUPLICATE, SCORED
from tests.scoring.features.folding import PAYMENTS, payment, table_of

nan = float("nan")
VIEW = replace(
    PAYMENTS,
    features=(Count("10m"), Rolling("total", "charge", "10m"), SinceLast()),
    history=History(features=("count_10m", "seconds_since_last"), length=3),
    ring=4,
)
FIRST, SECOND = payment("1", 1000, 1.0), payment("2", 1100, 2.0)


def test_an_event_beyond_grace_is_scored_and_forgotten() -> None:
    """Grace is a minute: 1039 s is late after 1100 s, sees only what was before it, and leaves nothing."""
    late = payment("late", 1039.999, 4.0)
    table = table_of(VIEW, FIRST, SECOND, late, payment("3", 1101, 8.0))
    assert table.late.tolist() == [False, False, True, False]
    assert table.vectors[2].tolist() == pytest.approx([2, 5, nan], nan_ok=True)  # the first and itself
    assert table.vectors[3].tolist() == [3, 11, 1]
    assert table_of(VIEW, FIRST, SECOND, late).states == table_of(VIEW, FIRST, SECOND).states


def test_an_event_within_grace_is_folded_at_its_own_place() -> None:
    """1040 s is exactly within: sums take it, the gap and the vector history pass it over."""
    table = table_of(VIEW, FIRST, SECOND, payment("early", 1040, 4.0), payment("3", 1101, 8.0))
    assert not table.late.any()
    assert table.vectors[2].tolist() == pytest.approx([2, 5, nan], nan_ok=True)
    assert table.vectors[3].tolist() == [4, 15, 1]
    np.testing.assert_array_equal(table.history[3], table.vectors[[0, 1, 3]][:, [0, 2]])


def test_a_known_id_is_a_duplicate_or_a_conflict() -> None:
    """The same content came twice, or someone used an id again; neither is counted."""
    other = msgspec.structs.replace(FIRST, amount=3.0)
    table = table_of(VIEW, FIRST, FIRST, other, SECOND)
    assert table.status.tolist() == [SCORED, DUPLICATE, CONFLICT, SCORED]
    assert table.scored.tolist() == [True, False, False, True]
    assert np.isnan(table.vectors[1:3]).all() and np.isnan(table.history[1:3]).all()
    assert table.lengths.tolist() == [1, 0, 0, 2]
    assert table.vectors[3].tolist() == [2, 3, 100]


def test_an_id_older_than_the_ring_counts_as_new() -> None:
    """Four ids are kept: the fifth event pushes the first one out."""
    events = [payment(str(row), 1000 + row, 1.0) for row in range(5)]
    again = msgspec.structs.replace(events[0], occurred_at_ms=1_005_000)
    assert table_of(VIEW, *events[:4], again).status.tolist() == [SCORED] * 4 + [CONFLICT]
    assert table_of(VIEW, *events, again).status.tolist() == [SCORED] * 6


@pytest.mark.parametrize(("gap", "count", "depth"), [(3600, 1, 1), (3600.001, 1, 0)])
def test_past_the_horizon_is_the_same_as_never_seen(gap: float, count: int, depth: int) -> None:
    """So Redis may drop what is older than the horizon, and a rebuild from the kept log equals live."""
    table = table_of(VIEW, FIRST, payment("2", 1000 + gap, 2.0))
    assert (table.vectors[1, 0], table.depth[1]) == (count, depth)
    expected = [1, 2, nan if depth == 0 else 3600]
    assert table.vectors[1].tolist() == pytest.approx(expected, nan_ok=True)
    fresh = table_of(VIEW, payment("2", 1000 + gap, 2.0)).states
    assert (table.states == fresh) == (depth == 0)


def test_history_forgets_when_the_ring_does() -> None:
    """Events each within the horizon of the next would otherwise hand vectors down for ever."""
    times = (0, 3000, 3661, 3662)  # after 3661 s nothing at or before 1 s is remembered
    table = table_of(VIEW, *(payment(str(row), at, 1.0) for row, at in enumerate(times)))
    assert table.lengths.tolist() == [1, 2, 2, 3]
    assert table.depth.tolist() == [0, 1, 1, 2]
    np.testing.assert_array_equal(table.history[2, :2], table.vectors[[1, 2]][:, [0, 2]])


def test_history_keeps_the_newest_vectors() -> None:
    """Three steps, this event's last; what is not there yet is NaN."""
    table = table_of(VIEW, *(payment(str(row), 1000 + row, 1.0) for row in range(4)))
    assert table.lengths.tolist() == [1, 2, 3, 3]
    np.testing.assert_array_equal(table.history[3], table.vectors[1:4][:, [0, 2]])
    assert np.isnan(table.history[0, 1:]).all()


def test_a_view_without_history_has_none() -> None:
    """Models that look at one vector must not pay for more."""
    table = table_of(replace(VIEW, history=None), FIRST)
    assert table.history is None and table.lengths is None


def test_a_view_without_windows_is_folded() -> None:
    """Nothing to sum up: the ring turns over without tiles."""
    view = replace(VIEW, features=(SinceLast(),), history=None, ring=2)
    table = table_of(view, *(payment(str(row), row, 1.0) for row in range(5)))
    assert table.vectors[1:, 0].tolist() == [1, 1, 1, 1]
    assert not table.approx.any()
