"""How a credit account was used and repaid over its last six months."""

from schemas.events.account_month import EVENT
from scoring.features.spec import FeatureView, History, Number, Quotient, Ratio, Rolling, Value

MONTHS = ("45d", "75d", "105d", "135d", "165d")
"""Windows that hold the last two to six monthly statements, a few days early or late."""

VIEW = FeatureView(
    name="account_months",
    event=EVENT,
    entity="account_id",
    numbers=(Number("billed"), Number("paid"), Number("repayment_status"), Number("credit_limit")),
    features=(
        Value("credit_limit"),
        Value("billed"),
        Value("paid"),
        Value("repayment_status"),
        Quotient("billed", "credit_limit"),
        Quotient("paid", "billed"),
        Quotient("paid", "credit_limit"),
        *(Rolling("mean", "repayment_status", window) for window in MONTHS),
        *(Rolling("maximum", "repayment_status", window) for window in MONTHS),
        *(Rolling("mean", "billed", window) for window in MONTHS),
        *(Rolling("mean", "paid", window) for window in MONTHS),
        *(Rolling("maximum", "paid", window) for window in (MONTHS[1], MONTHS[-1])),
        *(Rolling("minimum", "paid", window) for window in (MONTHS[1], MONTHS[-1])),
        Rolling("spread", "billed", MONTHS[-1]),
        Rolling("spread", "paid", MONTHS[-1]),
        Ratio("billed", MONTHS[-1]),
        Ratio("paid", MONTHS[-1]),
    ),
    history=History(
        features=(
            "billed",
            "paid",
            "repayment_status",
            "billed_to_credit_limit",
            "paid_to_credit_limit",
            "paid_to_billed",
        ),
        length=6,
    ),
    ring=12,
    horizon="400d",
    grace="1d",
    warm_after=2,
)
