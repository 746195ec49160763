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

TOGETHER = """
amount charge_total_1h charge_total_1d charge_total_7d charge_total_30d charge_mean_1h charge_mean_1d charge_mean_7d
charge_mean_30d charge_maximum_1h charge_maximum_1d charge_maximum_7d charge_maximum_30d amount_to_balance

charge_ratio_7d charge_ratio_30d charge_zscore_7d charge_zscore_30d

count_1h count_1d count_7d count_30d seconds_since_last

merchant_id_distinct_1h merchant_id_distinct_1d merchant_id_distinct_7d merchant_id_distinct_30d merchant_id_unseen_30d

country_distinct_1h country_distinct_1d country_distinct_7d country_distinct_30d country_unseen_30d
merchant_country_distinct_1d

refund_count_7d refund_count_30d refund_total_7d refund_total_30d refund_ratio_30d

merchant_charge_total_1h merchant_charge_total_1d merchant_charge_total_7d merchant_charge_mean_1d
merchant_charge_mean_7d merchant_charge_maximum_1d merchant_charge_maximum_7d

merchant_charge_ratio_7d merchant_charge_zscore_7d

merchant_count_1h merchant_count_1d merchant_count_7d merchant_seconds_since_last

merchant_account_id_distinct_1h merchant_account_id_distinct_1d merchant_account_id_distinct_7d
merchant_account_id_first_share_1h merchant_account_id_first_share_1d

merchant_refund_count_7d merchant_refund_total_7d
"""
"""Of the account: how much it pays, how much more than before, how often, to how many, in how many countries, what comes
back; of the merchant: how much it takes, how much more than before, how often, from how many, what goes back. Spreads and
the clock are together by kind."""

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
    together=tuple(tuple(group.split()) for group in TOGETHER.split("\n\n")),
)
