"""The features of `account_activity` as one writes them by hand: over the account's events, anew for each event."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
WINDOWS = {"1h": HOUR_MS, "1d": DAY_MS, "7d": 7 * DAY_MS, "30d": 30 * DAY_MS}
LONGEST_MS = WINDOWS["30d"]

Payment = Mapping[str, Any]


def obvious_features(payment: Payment, past: Sequence[Payment]) -> dict[str, float]:
    """The 46 features by name, NaN where missing.

    Args:
        payment: the event.
        past: the account's earlier events of the last 30 days, oldest first. Where nothing is late, 32 events at most
            are remembered, all are of one currency and no code is missing, the result is that of the view; a test says
            so.
    """
    now, amount = payment["occurred_at_ms"], payment["amount"]
    times = np.array([one["occurred_at_ms"] for one in past], np.int64)
    amounts = np.array([one["amount"] for one in past], float)
    same = np.array([one.get("currency") == payment.get("currency") for one in past], bool)
    found = {"amount": amount, "seconds_since_last": (now - past[-1]["occurred_at_ms"]) / 1000 if past else math.nan}
    for name, width in WINDOWS.items():
        recent = times > now - width
        earlier = amounts[recent & same & (amounts >= 0)]
        charges = np.append(earlier, amount) if amount >= 0 else earlier
        found |= {
            f"count_{name}": int(recent.sum()) + 1,
            f"charge_total_{name}": charges.sum(),
            f"charge_mean_{name}": charges.mean() if len(charges) else math.nan,
            f"charge_spread_{name}": charges.std() if len(charges) else math.nan,
            f"charge_maximum_{name}": charges.max() if len(charges) else math.nan,
        }
        for code in ("merchant_id", "country"):
            before = {one.get(code) for one, there in zip(past, recent, strict=True) if there}
            known = (before | {payment.get(code)}) - {None}
            found[f"{code}_distinct_{name}"] = len(known)
            if name == "30d":
                found[f"{code}_unseen_30d"] = float(payment.get(code) not in before) if past else math.nan
        if name in ("7d", "30d"):
            refunds = -amounts[recent & same & (amounts < 0)]
            found |= _against_history(amount, earlier, name) | _refunds(amount, refunds, name)
    return found | _clock(now) | {"amount_to_balance": amount / (payment.get("balance") or math.nan)}


def _against_history(amount: float, earlier: NDArray[np.float64], name: str) -> dict[str, float]:
    ratio = zscore = math.nan
    if amount >= 0 and len(earlier) and earlier.mean():
        ratio = amount / earlier.mean()
    if amount >= 0 and len(earlier) > 1:
        deviation = max(earlier.std(), 0.01 * abs(earlier.mean()))
        zscore = (amount - earlier.mean()) / deviation if deviation else math.nan
    return {f"charge_ratio_{name}": ratio, f"charge_zscore_{name}": zscore}


def _refunds(amount: float, earlier: NDArray[np.float64], name: str) -> dict[str, float]:
    with_this = np.append(earlier, -amount) if amount < 0 else earlier
    found = {f"refund_count_{name}": len(with_this), f"refund_total_{name}": with_this.sum()}
    if name == "30d":
        usual = earlier.mean() if len(earlier) else 0.0
        found["refund_ratio_30d"] = -amount / usual if amount < 0 and usual else math.nan
    return found


def _clock(now: int) -> dict[str, float]:
    hour = 2 * math.pi * (now % DAY_MS) / DAY_MS
    weekday = 2 * math.pi * ((now + 3 * DAY_MS) % (7 * DAY_MS)) / (7 * DAY_MS)
    return {
        "hour_sine": math.sin(hour),
        "hour_cosine": math.cos(hour),
        "weekday_sine": math.sin(weekday),
        "weekday_cosine": math.cos(weekday),
    }
