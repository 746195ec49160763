"""How much the price of a symbol moved within a period: the sum of its squared log returns, one record a period."""

from typing import Annotated

import msgspec

from schemas.event import Code, EventType, Id, NonNegative, OccurredAt

LogReturn = Annotated[float, msgspec.Meta(ge=-100, le=100)]


class RealisedVariance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A period's variance as its own prices say, known when the period is over.

    Attributes:
        occurred_at_ms: end of the period.
        variance: sum of squared log returns within the period (a day at 1 % has 0.0001), or a measure of the same unit
            that is made of the range.
        log_return: logarithm of the last price over that of the period before.
        period: how long it is: `1h`, `1d`, `7d`. A symbol with several periods needs a name for each.
    """

    event_id: Id
    occurred_at_ms: OccurredAt
    symbol: Id
    variance: NonNegative
    log_return: LogReturn | None = None
    period: Code | None = None


EVENT = EventType(struct=RealisedVariance, topic="market-variances", key="symbol")
