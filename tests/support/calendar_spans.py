"""Days, weeks and months by Python's calendar: which one a time is in, and when it ends."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def begin_of_span(step: str, time: int) -> int:
    """The first millisecond of the day, week (from Monday) or month of a time, UTC."""
    day = (EPOCH + time * MILLISECOND).replace(hour=0, minute=0, second=0, microsecond=0)
    if step == "1w":
        day -= timedelta(days=day.weekday())
    if step == "1mo":
        day = day.replace(day=1)
    return (day - EPOCH) // MILLISECOND


def end_of_span(step: str, time: int) -> int:
    """The last millisecond of the day, week or month of a time, UTC."""
    longer = {"1d": 1, "1w": 7, "1mo": 31}[step]  # the day so much later than the first is in the next span
    later = EPOCH + begin_of_span(step, time) * MILLISECOND + timedelta(days=longer)
    return begin_of_span(step, (later - EPOCH) // MILLISECOND) - 1


def ends_between(step: str, earlier: int, later: int) -> list[int]:
    """The ends of all spans that lie wholly between those of two times."""
    ends, end = [], end_of_span(step, earlier)
    while (end := end_of_span(step, end + 1)) < later:
        ends.append(end)
    return ends
