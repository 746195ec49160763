"""The prices of a symbol over a period: a daily close, a bar of a minute."""

import msgspec

from schemas.event import Code, EventType, Id, NonNegative, OccurredAt, Positive


class Bar(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Prices of a symbol over a period, in its quote currency, known when the period is over.

    Attributes:
        occurred_at_ms: when the bar was known: the end of its period.
        open, high, low, close: first, highest, lowest and last price of the period; often only the last is known.
        volume: traded in the period, in the symbol's trading unit.
        period: how long it is: `1m`, `1h`, `1d`. A symbol with bars of several periods needs a name for each.
    """

    event_id: Id
    occurred_at_ms: OccurredAt
    symbol: Id
    close: Positive
    open: Positive | None = None
    high: Positive | None = None
    low: Positive | None = None
    volume: NonNegative | None = None
    period: Code | None = None


EVENT = EventType(struct=Bar, topic="market-bars", key="symbol")
