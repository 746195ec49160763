"""A price of a symbol: a trade, a quote, or the close of a bar."""

import msgspec

from schemas.event import Code, EventType, Id, NonNegative, OccurredAt, Positive


class Tick(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A price of a symbol, in the quote currency of the symbol; `volume` in its trading unit."""

    event_id: Id
    occurred_at_ms: OccurredAt
    symbol: Id
    price: Positive
    bid: Positive | None = None
    ask: Positive | None = None
    volume: NonNegative | None = None
    venue: Code | None = None


EVENT = EventType(struct=Tick, topic="market-ticks", key="symbol")
