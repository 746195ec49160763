"""Calendar spans of event time, UTC: which one a time is in, and when one begins. Compiled by numba.

Source of the months: H. Hinnant, "chrono-compatible low-level date algorithms" (`civil_from_days`, `days_from_civil`);
years begin in March there, so that the leap day is their last.
"""

from scoring.compiled import compiled
from scoring.features.plan import STEPS
from scoring.features.spec import DAY_MS, FIRST_MONDAY_MS

DAY, WEEK = STEPS["1d"], STEPS["1w"]
WEEK_MS = 7 * DAY_MS
DAYS_BEFORE_1970 = 719_468
"""From the first of March of the year 0."""
DAYS_OF_400_YEARS = 146_097


@compiled
def span_of(step: int, time: int) -> int:
    """The number of the day, week or month that a time in milliseconds is in; those of neighbours differ by one."""
    if step == DAY:
        return time // DAY_MS
    if step == WEEK:
        return (time - FIRST_MONDAY_MS) // WEEK_MS
    return _month_of(time // DAY_MS)


@compiled
def begin_of(step: int, span: int) -> int:
    """The first millisecond of a day, week or month."""
    if step == DAY:
        return span * DAY_MS
    if step == WEEK:
        return span * WEEK_MS + FIRST_MONDAY_MS
    return _first_day_of(span) * DAY_MS


@compiled
def _month_of(days: int) -> int:
    """The month of a day since 1970-01-01, counted from March of the year 0."""
    days += DAYS_BEFORE_1970
    era = days // DAYS_OF_400_YEARS
    day = days - era * DAYS_OF_400_YEARS
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    return 12 * (400 * era + year) + (5 * day + 2) // 153


@compiled
def _first_day_of(month: int) -> int:
    """The first day of a month, as days since 1970-01-01."""
    year, month = month // 12, month % 12
    era = year // 400
    year -= 400 * era
    day = (153 * month + 2) // 5 + 365 * year + year // 4 - year // 100
    return era * DAYS_OF_400_YEARS + day - DAYS_BEFORE_1970
