"""Counters over the life of an entity, which ends with a silence longer than the view says."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from schemas.as_of import AsOf, as_question
from scoring.features.hashing import text_hash
from scoring.features.inspect import inspect_state
from scoring.features.packing import largest_state
from scoring.features.plan import plan_of
from scoring.features.spec import Count, FeatureView, Lifetime
from tests.scoring.features.folding import PAYMENTS, payment, table_of

nan = float("nan")
DAY = 86_400
VIEW = replace(
    PAYMENTS,  # a horizon of an hour
    features=(
        Count("1h"), Lifetime("count"), Lifetime("days"), Lifetime("age"), Lifetime("idle"), Lifetime("total", "charge"),
    ),
    active_within="2d",
)  # fmt: skip


def question(event_id: str, at: float) -> Any:
    """A question about account `a`, `at` seconds."""
    return as_question(PAYMENTS.event, AsOf(event_id=event_id, entity="a", occurred_at_ms=round(at * 1000)))


def rows_of(*events: Any, view: FeatureView = VIEW) -> list[list[float]]:
    """The vectors of the events."""
    vectors: list[list[float]] = table_of(view, *events).vectors.tolist()
    return vectors


def test_a_life_outlives_the_horizon() -> None:
    """Windows forget after an hour; a customer of three days is one all the same."""
    rows = rows_of(payment("1", 0, 5.0), payment("2", DAY, 7.0), payment("3", DAY + 60, -3.0), payment("4", 3 * DAY, 1.0))
    np.testing.assert_array_equal(
        rows,
        [
            [1, 1, 1, 0, nan, 5],
            [1, 2, 2, DAY, DAY, 12],
            [2, 3, 2, DAY + 60, 60, 12],
            [1, 4, 3, 3 * DAY, 2 * DAY - 60, 13],
        ],
    )


@pytest.mark.parametrize(("gap", "count"), [(2 * DAY, 2), (2 * DAY + 0.001, 1)])
def test_a_life_ends_with_a_silence_longer_than_the_view_says(gap: float, count: int) -> None:
    """Then the state is that of an entity nobody has seen: Redis may have dropped it."""
    first, second = payment("1", 0, 5.0), payment("2", gap, 7.0)
    assert rows_of(first, second)[1][1] == count
    assert (table_of(VIEW, first, second).states == table_of(VIEW, second).states) == (count == 1)


def test_events_within_grace_are_counted_and_late_ones_are_not() -> None:
    """What is out of order does not say how old the entity was then; what comes after it knows of both."""
    rows = rows_of(
        payment("1", 100, 1.0), payment("2", 70, 2.0), payment("late", 30, 4.0), payment("1", 100, 1.0),
        payment("3", 110, 8.0),
    )  # fmt: skip
    assert np.isnan([row[1:] for row in rows[1:4]]).all()
    assert rows[4][1:] == [3, 1, 40, 10, 11]


def test_a_question_sees_the_life_and_is_no_part_of_it() -> None:
    """A customer who stopped buying is asked about past every window, in the currency of the last purchase."""
    events = (payment("1", 0, 5.0, currency="EUR"), payment("2", 60, 7.0, currency="USD"))
    rows = rows_of(*events, question("q", DAY), question("r", 3 * DAY), payment("3", DAY, 1.0, currency="EUR"))
    np.testing.assert_array_equal(rows[2], [0, 2, 1, DAY, DAY - 60, 7])
    np.testing.assert_array_equal(rows[3], [0, 0, 0, nan, nan, 0])
    assert rows[4][1] == 3 and rows[4][5] == 6


def test_the_ninth_currency_of_a_life_has_no_total() -> None:
    """A state has to end somewhere; a number that is missing is better than one that is wrong."""
    events = [payment(str(row), row, 1.0, currency=f"C{row % 10}") for row in range(20)]
    totals = [row[5] for row in rows_of(*events)]
    np.testing.assert_array_equal(totals, [1] * 8 + [nan] * 2 + [2] * 8 + [nan] * 2)


def test_a_state_shows_its_life_and_has_room_for_it() -> None:
    """What Redis pays for is reported by part."""
    events = [payment(str(row), row, 1.5, currency=f"C{row}") for row in range(10)]
    state = table_of(VIEW, *events).states[0]
    seen = inspect_state(VIEW, state)
    assert seen.life is not None
    assert (seen.life.first_ms, seen.life.events, seen.life.days, len(seen.life.totals)) == (0, 10, 1, 8)
    code = int(text_hash("C3")) & 0xFFFFFFFF
    assert seen.life.totals[f"{code:08x}"] == {"charge": 1.5}
    assert seen.bytes_by_part["life"] == 8 * (4 + 8 * 2)
    assert sum(seen.bytes_by_part.values()) == len(state) <= largest_state(plan_of(VIEW)[0])
    assert inspect_state(PAYMENTS, table_of(PAYMENTS, *events).states[0]).life is None


def test_redis_keeps_what_a_life_may_still_need() -> None:
    """The longer of the two, and the grace."""
    assert VIEW.meaningful_ms == (2 * DAY + 60) * 1000
    assert replace(VIEW, active_within="10m").meaningful_ms == (3600 + 60) * 1000
    assert PAYMENTS.meaningful_ms == PAYMENTS.horizon_ms + PAYMENTS.grace_ms


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"active_within": ""}, "lifetime_count counts over a life; say how long"),
        ({"features": (Count("1h"),)}, "there are none; remove it"),
        ({"active_within": "2y"}, "expected a whole number and one of s, m, h, d"),
        ({"features": (Lifetime("total"),)}, "a total needs one of the view's numbers"),
        ({"features": (Lifetime("total", "amount"),)}, "a total needs one of the view's numbers"),
        ({"features": (Lifetime("count", "charge"),)}, "the others have none"),
        ({"features": (Lifetime("years"),)}, "'years'.* is none of count, days"),  # type: ignore[arg-type]
    ],
)
def test_a_life_that_is_not_declared_whole_is_refused(changes: dict[str, Any], said: str) -> None:
    """Better no start than a count that never ends, or one of nothing."""
    with pytest.raises(ValueError, match=said):
        replace(VIEW, **changes)


def test_a_view_without_lives_has_the_digest_that_it_had() -> None:
    """Digests are in force on partitions; those of views with lives differ by how long one goes on."""
    assert replace(PAYMENTS, features=(Count("1h"),)).digest == "b6d11bc6f5b0de78"
    assert replace(VIEW, active_within="3d").digest != VIEW.digest
