"""Values as people read them in a terminal: texts from outside made harmless, moments, numbers."""

import datetime as dt

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def printable(text: str) -> str:
    """The text with a replacement for whatever could steer a terminal.

    >>> printable("A\\x1b[2J1")
    'A\\ufffd[2J1'
    """
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def moment(time_ms: int) -> str:
    """A time in milliseconds since 1970 as date and time of day (UTC), to the second; the number if too far.

    >>> moment(1_500_000_000_000)
    '2017-07-14 02:40:00'
    """
    try:
        return (_EPOCH + dt.timedelta(milliseconds=time_ms)).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return f"{time_ms} ms"


def number(value: float | None) -> str:
    """A number to six digits, `missing` for none.

    >>> number(None), number(0.1234567), number(3)
    ('missing', '0.123457', '3')
    """
    return "missing" if value is None else f"{value:.6g}"


def span(milliseconds: float) -> str:
    """A duration in its largest whole-ish unit.

    >>> span(90_000), span(86_400_000 * 30), span(12)
    ('1.5 minutes', '30 days', '12 ms')
    """
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("s", 1_000)):
        if abs(milliseconds) >= size:
            return f"{milliseconds / size:.3g} {unit}"
    return f"{milliseconds:.3g} ms"
