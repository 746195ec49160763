"""The steady rate: each event has its time, whatever the feeder does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.demo.feeding import Steady


@given(
    rate=st.floats(1, 10_000),
    began_ms=st.integers(0, 2_000_000_000_000).map(float),
    number=st.integers(0, 1_000_000),
)
def test_an_event_is_due_no_earlier_than_its_time_and_right_after_it(
    rate: float, began_ms: float, number: int
) -> None:
    """Handing over early would make the measured latency negative; the clock resolves a thousandth of a millisecond."""
    pace = Steady(rate, began_ms)
    due_ms = pace.due_ms(number)
    assert pace.due_by(due_ms + 0.01) >= number + 1
    assert pace.due_by(due_ms - 0.01) <= number + 1 + int(0.02 * rate / 1_000)


@pytest.mark.parametrize("early_ms", [1, 1_000])
def test_nothing_is_due_before_the_beginning(early_ms: int) -> None:
    """A clock that was set back must not send a negative number of events."""
    assert Steady(rate=1_000, began_ms=5_000).due_by(5_000 - early_ms) == 0
