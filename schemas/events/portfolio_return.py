"""How much the value of a portfolio changed over a period, one record a period."""

from typing import Annotated

import msgspec

from schemas.event import Code, EventType, Id, OccurredAt

SimpleReturn = Annotated[float, msgspec.Meta(ge=-100, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class PortfolioReturn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A portfolio's return over a period, known when the period is over.

    Attributes:
        occurred_at_ms: end of the period.
        simple_return: change of the value as a share of the value at the period's start (0.01 is a gain of 1 %); not a
            logarithm, so that it is the sum of the positions' returns times their weights, also where it falls below -1.
        period: how long it is: `1d`. A portfolio with several periods needs a name for each.
        priced: share of the positions, by the sum of the weights' sizes, that had a price in the period; those that had
            none count as unmoved, and with their whole move in the period in which they have one again.
        weights_at_ms: when the weights held that the return was made with. With returns at current weights (what the
            positions of today would have made of past prices) it lies behind `occurred_at_ms`; of returns as they were
            earned it does not.
    """

    event_id: Id
    occurred_at_ms: OccurredAt
    portfolio_id: Id
    simple_return: SimpleReturn
    period: Code | None = None
    priced: Share | None = None
    weights_at_ms: int | None = None


EVENT = EventType(struct=PortfolioReturn, topic="portfolio-returns", key="portfolio_id")
