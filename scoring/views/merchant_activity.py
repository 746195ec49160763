"""What a merchant usually sees: how often, how much, from whom; and, carried along, what the account usually does."""

from schemas.events.merchant_transaction import EVENT
from scoring.features.spec import (
    Count,
    Distinct,
    FeatureView,
    FirstTimeShare,
    Number,
    Ratio,
    Rolling,
    SinceLast,
    ZScore,
)
from scoring.views import account_activity

VIEW = FeatureView(
    name="merchant_activity",
    event=EVENT,
    entity="merchant_id",
    carries=account_activity.VIEW,
    prefix="merchant_",
    group="currency",
    numbers=(Number("charge", of="amount", keep="positive"), Number("refund", of="amount", keep="negative")),
    codes=("account_id", "country"),
    features=(
        *(Count(window) for window in ("1h", "1d", "7d")),
        *(Rolling("total", "charge", window) for window in ("1h", "1d", "7d")),
        *(Rolling("mean", "charge", window) for window in ("1d", "7d")),
        *(Rolling("spread", "charge", window) for window in ("1d", "7d")),
        *(Rolling("maximum", "charge", window) for window in ("1d", "7d")),
        SinceLast(),
        *(Distinct("account_id", window) for window in ("1h", "1d", "7d")),
        *(FirstTimeShare("account_id", window) for window in ("1h", "1d")),
        Distinct("country", "1d"),
        Ratio("charge", "7d"),
        ZScore("charge", "7d"),
        Rolling("count", "refund", "7d"),
        Rolling("total", "refund", "7d"),
    ),
    ring=48,
    horizon="7d",
)
