"""A month of a credit account, as its statement tells it."""

from typing import Annotated

import msgspec

from schemas.event import Amount, EventType, Id, NonNegative, OccurredAt

RepaymentStatus = Annotated[float, msgspec.Meta(ge=-2, le=120)]


class AccountMonth(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One monthly statement of a credit card account; `occurred_at_ms` is the day it closes.

    Amounts are in the account's currency. `billed` is owed at the close, negative for a credit; `paid` was paid in the
    month. `repayment_status` counts months overdue from 1 on; 0: the least was paid, -1: all, -2: nothing was owed.
    What a lender may not decide by (sex, marriage, education, age) has no field here.
    """

    event_id: Id
    occurred_at_ms: OccurredAt
    account_id: Id
    credit_limit: NonNegative
    billed: Amount
    paid: NonNegative | None = None
    repayment_status: RepaymentStatus | None = None


EVENT = EventType(struct=AccountMonth, topic="account-months", key="account_id")
