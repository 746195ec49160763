"""What a merchant takes and how much of it came back: chargebacks tell of fraud, a while after it; and the account's.

A chargeback is a refund in the log (see `scoring/files/chargebacks.py`): counts of refunds within a window are the frauds
that became known in it. Charges are counted by themselves, so that a chargeback is not taken for a payment.
"""

from schemas.events.merchant_transaction import EVENT
from scoring.features.spec import Distinct, FeatureView, Number, Ratio, Rolling, ZScore
from scoring.views import account_activity

WINDOWS = ("1d", "7d", "30d")

VIEW = FeatureView(
    name="merchant_risk",
    event=EVENT,
    entity="merchant_id",
    carries=account_activity.VIEW,
    prefix="merchant_",
    group="currency",
    numbers=(Number("charge", of="amount", keep="positive"), Number("refund", of="amount", keep="negative")),
    codes=("account_id",),
    features=(
        *(Rolling("count", "refund", window) for window in WINDOWS),
        *(Rolling("total", "refund", window) for window in WINDOWS),
        *(Rolling("maximum", "refund", window) for window in WINDOWS),
        *(Rolling("count", "charge", window) for window in WINDOWS),
        *(Rolling("mean", "charge", window) for window in WINDOWS),
        Rolling("spread", "charge", "30d"),
        *(Distinct("account_id", window) for window in WINDOWS),
        Ratio("charge", "30d"),
        ZScore("charge", "30d"),
    ),
    ring=48,
)
