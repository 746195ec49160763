"""Steps of the vector history that the calendar or the event's own period closes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from schemas.as_of import AsOf, as_question
from scoring.features.spec import DAY_MS, Count, FeatureView, History, Rolling, SinceLast, Step, Value
from tests.properties.test_cuts import folded
from tests.scoring.features.folding import PAYMENTS, PRICES, payment, price, table_of
from tests.support.calendar_spans import begin_of_span, end_of_span

nan = float("nan")
NAMES = ("count_3d", "charge_total_3d", "amount")


def view_of(step: Step, *, length: int = 4, **changes: Any) -> FeatureView:
    """Payments with a history of such steps."""
    return replace(
        PAYMENTS,
        features=(Count("3d"), Rolling("total", "charge", "3d"), Value("amount")),
        history=History(features=NAMES, length=length, step=step),
        horizon="200d",
        grace="6h",
        **changes,
    )


def at(text: str) -> float:
    """Seconds of a time, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def question(event_id: str, moment: float) -> Any:
    """A question about account `a`."""
    return as_question(PAYMENTS.event, AsOf(event_id=event_id, entity="a", occurred_at_ms=round(moment * 1000)))


def history_of(table: Any, row: int) -> list[list[float]]:
    """The steps of one row, as far as there are any."""
    steps: list[list[float]] = table.history[row, : table.lengths[row]].tolist()
    assert np.isnan(table.history[row, table.lengths[row] :]).all()
    return steps


def assert_steps(table: Any, row: int, *steps: list[float]) -> None:
    """The history of a row, missing values included."""
    np.testing.assert_array_equal(history_of(table, row), steps)


def test_the_last_event_of_a_day_is_the_step_of_the_day() -> None:
    """Three payments of a day make one step; that of the next day begins another."""
    table = table_of(
        view_of("1d"),
        payment("1", at("2024-02-28T10:00"), 1.0),
        payment("2", at("2024-02-28T23:59:59.999"), 2.0),
        payment("3", at("2024-02-29T00:00"), 4.0),
        payment("4", at("2024-02-29T12:00"), 8.0),
    )
    assert table.lengths.tolist() == [1, 1, 2, 2]
    assert history_of(table, 1) == [[2, 3, 2]]
    assert history_of(table, 2) == [[2, 3, 2], [3, 7, 4]]
    assert history_of(table, 3) == [[2, 3, 2], [4, 15, 8]]


def test_a_day_without_an_event_has_the_step_of_a_question_as_of_its_end() -> None:
    """Days stay as far apart as they are, and a model sees sums fall as nothing comes."""
    table = table_of(
        view_of("1d", length=5),
        payment("1", at("2024-02-27T10:00"), 1.0),
        question("q", at("2024-02-28T23:59:59.999")),
        payment("2", at("2024-03-02T09:00"), 2.0),
    )
    assert_steps(table, 2, [1, 1, 1], [1, 1, nan], [1, 1, nan], [0, 0, nan], [1, 2, 2])
    np.testing.assert_array_equal(table.history[2, 1], table.vectors[1])


def test_weeks_begin_on_monday_and_months_on_their_first_day() -> None:
    """2024-03-03 was a Sunday; the leap day belongs to February."""
    days = ("2024-02-25", "2024-02-26", "2024-03-03", "2024-03-04", "2024-04-01")
    events = [payment(day, at(f"{day}T00:00"), 1.0) for day in days]
    assert table_of(view_of("1w", length=8), *events).lengths.tolist() == [1, 2, 2, 3, 7]
    assert table_of(view_of("1mo"), *events).lengths.tolist() == [1, 1, 2, 2, 3]


@pytest.mark.parametrize("step", ["1d", "1w", "1mo"])
def test_the_calendar_is_that_of_python_in_every_century(step: Step) -> None:
    """A first and a last millisecond of a span are one step, the millisecond after it is another."""
    for year in (1600, 1899, 1900, 1969, 1970, 1999, 2000, 2024, 2100, 2400):
        for month in (1, 2, 3, 12):
            begin = begin_of_span(step, round(at(f"{year}-{month:02d}-28T05:06") * 1000))
            end = end_of_span(step, begin)
            events = [payment(str(each), each / 1000, 1.0) for each in (begin, end, end + 1)]
            assert [event.occurred_at_ms for event in events] == [begin, end, end + 1]
            assert table_of(view_of(step), *events).lengths.tolist() == [1, 1, 2], (year, month)


def test_what_comes_late_changes_no_closed_step_and_sees_the_days_before_its_own() -> None:
    """Within grace an event counts in windows; the step of its day was scored without it and stays so."""
    view = view_of("1d")
    events = (
        payment("1", at("2024-03-01T10:00"), 1.0),
        payment("2", at("2024-03-02T22:00"), 2.0),
        payment("3", at("2024-03-03T01:00"), 4.0),
        payment("4", at("2024-03-02T23:00"), 8.0),
        payment("5", at("2024-03-01T23:00"), 16.0),
        payment("6", at("2024-03-03T02:00"), 32.0),
    )
    table = table_of(view, *events)
    assert table.late.tolist() == [False] * 4 + [True, False]
    assert history_of(table, 3) == [[1, 1, 1], [3, 11, 8]]
    assert history_of(table, 4) == [[2, 17, 16]]
    assert history_of(table, 5) == [[1, 1, 1], [2, 3, 2], [5, 47, 32]]


def test_a_question_stands_where_an_event_at_its_time_would() -> None:
    """Its windows hold the payments of its day; asked for the next day, those are the step before it."""
    view = view_of("1d")
    events = (payment("1", at("2024-03-01T10:00"), 1.0), payment("2", at("2024-03-02T10:00"), 2.0))
    table = table_of(view, *events, question("q", at("2024-03-02T20:00")), question("r", at("2024-03-03T20:00")))
    assert_steps(table, 2, [1, 1, 1], [2, 3, nan])
    assert_steps(table, 3, [1, 1, 1], [2, 3, 2], [2, 3, nan])
    assert table.states == table_of(view, *events).states


def test_steps_of_the_calendar_outlive_the_ring() -> None:
    """A busy day must not push out the days before it."""
    view = view_of("1d", ring=2)
    days = [payment(f"{day}", at(f"2024-03-0{day}T10:00"), float(day)) for day in (1, 2, 3)]
    busy = [payment(f"b{each}", at("2024-03-04T10:00") + each, 1.0) for each in range(5)]
    table = table_of(view, *days, *busy)
    assert table.lengths[-1] == 4
    assert [step[2] for step in history_of(table, len(days) + len(busy) - 1)] == [1, 2, 3, 1]


def test_past_the_horizon_all_steps_are_gone() -> None:
    """As for steps of events: absent and past the horizon are the same."""
    late = at("2024-03-01T10:00") + 200 * DAY_MS / 1000 + 0.001
    table = table_of(view_of("1d"), payment("1", at("2024-03-01T10:00"), 1.0), payment("2", late, 2.0))
    assert table.lengths.tolist() == [1, 1]
    assert table.states == table_of(view_of("1d"), payment("2", late, 2.0)).states


def test_a_correction_of_a_period_takes_the_place_of_its_step() -> None:
    """A record of a period is of its end, so two at one time close the same period."""
    view = replace(
        PRICES,
        features=(Value("price"), SinceLast()),
        history=History(features=("price",), length=3, step="period_close"),
    )
    events = [price("1", 60, 1.0), price("2", 120, 2.0), price("3", 120, 3.0), price("4", 300, 4.0), price("5", 300, 5.0)]
    table = table_of(view, *events)
    prices = [[step[0] for step in history_of(table, row)] for row in range(5)]
    assert prices == [[1], [1, 2], [1, 3], [1, 3, 4], [1, 3, 5]]


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (History(features=("amount",), length=4, step="2d"), "steps of '2d'; expected one of event, period_close, 1d"),  # type: ignore[arg-type]
        (History(features=("amount",), length=7, step="1mo"), "reaches back 217 days.*horizon is 200d.*at least 217d"),
        (History(features=("amount",), length=9, step="period_close"), "9 periods, the ring keeps 8.*at least 9"),
    ],
)
def test_steps_that_the_view_cannot_keep_are_refused(history: History, said: str) -> None:
    """A history that is always cut short would be found out by nobody."""
    with pytest.raises(ValueError, match=said):
        replace(view_of("1d"), history=history)


def test_a_view_says_its_steps_in_its_digest_unless_they_are_events() -> None:
    """Digests of the views that were there before are in force on partitions and in manifests."""
    kinds: tuple[Step, ...] = ("event", "period_close", "1d", "1w", "1mo")
    assert len({view_of(step).digest for step in kinds}) == len(kinds)
    assert view_of("event").digest == "3516e46fbe61bc66"


def test_a_poll_that_ends_between_days_changes_nothing() -> None:
    """The span that an event closes is known from the state alone."""
    events = [payment(str(row), at("2024-03-01T00:00") + row * 40_000, 1.0) for row in range(20)]
    whole, states = folded(view_of("1d"), [events])
    parts, states_in_parts = folded(view_of("1d"), [[event] for event in events])
    assert states == states_in_parts
    assert b"".join(part.history.tobytes() for part in parts if part.history is not None) == whole[0].history.tobytes()  # type: ignore[union-attr]
