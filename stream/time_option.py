"""Times as people type them on the command line."""

from datetime import UTC, datetime

import typer


def time_ms(text: str | None, option: str) -> int | None:
    """Milliseconds since 1970 of an ISO 8601 time, UTC where it names no zone; None for none.

    Raises:
        typer.BadParameter: it is no time; names the option.

    >>> time_ms("2017-07-14T02:40:00.001Z", "--from"), time_ms(None, "--to")
    (1500000000001, None)
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        said = f"time {text!r}: expected ISO 8601, such as 2026-01-31T12:00:00Z"
        raise typer.BadParameter(said, param_hint=option) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
