"""A payment of an account: a card purchase, a transfer, an order, a refund."""

import msgspec

from schemas.event import Amount, Code, EventType, Id, OccurredAt


class Transaction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A payment of an account. A negative amount is a refund.

    Amounts are in units of `currency`; amounts of different currencies are never added up.
    """

    event_id: Id
    occurred_at_ms: OccurredAt
    account_id: Id
    amount: Amount
    currency: Code | None = None
    merchant_id: Id | None = None
    category: Code | None = None
    channel: Code | None = None
    country: Code | None = None
    balance: Amount | None = None


EVENT = EventType(struct=Transaction, topic="transactions", key="account_id")
