"""A payment on its second pass: keyed by its merchant, with what was seen of its account."""

from schemas.event import EventType
from schemas.events import transaction
from schemas.events.transaction import Transaction
from schemas.sequenced import Sequenced


class MerchantTransaction(Sequenced, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A payment for the views of its merchant; one without a merchant comes with an empty key."""

    event: Transaction


EVENT = EventType(
    struct=Transaction,
    topic="transactions-by-merchant",
    key="merchant_id",
    passed_on=MerchantTransaction,
    origin=transaction.EVENT,
)
