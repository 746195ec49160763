"""Gaps and the clock."""

from math import sqrt

import pytest

from scoring.features.spec import Clock, SinceLast
from tests.scoring.features.folding import PAYMENTS, payment, values_of

nan = float("nan")
HOUR_S, DAY_S = 3600, 86_400
MONDAY_S = 4 * DAY_S  # 1970-01-05


def test_gap_is_in_seconds_and_missing_at_first() -> None:
    """Two at the same millisecond have a gap of nought; one that arrives out of order has none."""
    times = (100, 101.5, 101.5, 99, 103.5)
    values = values_of(PAYMENTS, SinceLast(), *(payment(str(row), at, 1.0) for row, at in enumerate(times)))
    assert values == pytest.approx([nan, 1.5, 0, nan, 2], nan_ok=True)


@pytest.mark.parametrize(
    ("hour", "sine", "cosine"), [(0, 0, 1), (6, 1, 0), (12, 0, -1), (18, -1, 0), (3, sqrt(0.5), sqrt(0.5))]
)
@pytest.mark.parametrize("day", [0, 19_675, -3])
def test_hours_lie_on_a_circle(day: int, hour: int, sine: float, cosine: float) -> None:
    """23:59 and 00:01 are neighbours; a plain hour would put them a day apart."""
    event = payment("1", day * DAY_S + hour * HOUR_S, 1.0)
    assert values_of(PAYMENTS, Clock("hour", "sine"), event) == pytest.approx([sine], abs=1e-6)
    assert values_of(PAYMENTS, Clock("hour", "cosine"), event) == pytest.approx([cosine], abs=1e-6)


@pytest.mark.parametrize(
    ("days_after_monday", "sine", "cosine"), [(0, 0, 1), (3.5, 0, -1), (7, 0, 1), (-1.75, -1, 0), (-7, 0, 1)]
)
def test_the_week_begins_on_monday(days_after_monday: float, sine: float, cosine: float) -> None:
    """1970-01-01 was a Thursday; an offset forgotten here would shift every weekday feature."""
    event = payment("1", MONDAY_S + days_after_monday * DAY_S, 1.0)
    assert values_of(PAYMENTS, Clock("weekday", "sine"), event) == pytest.approx([sine], abs=1e-6)
    assert values_of(PAYMENTS, Clock("weekday", "cosine"), event) == pytest.approx([cosine], abs=1e-6)
