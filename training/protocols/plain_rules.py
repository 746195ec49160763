"""Rivals that are no models: what one line of a rule book would say; protocols name them among their baselines."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.protocols.log import NOBODY, Log

LARGE = 220.0
RISK_WINDOW_MS = 7 * 86_400_000
FAN_IN_WINDOW_MS = 30 * 86_400_000


def amount(log: Log) -> NDArray[np.float64]:
    """The amount of every payment, float64[n]; a missing one is the least."""
    return np.nan_to_num(log.amount, nan=-np.inf)


def amount_or_merchant_risk(log: Log) -> NDArray[np.float64]:
    """1 for an amount over 220, else the merchant's fraud rate over 7 days as far as it was known, float64[n].

    Source: the two scenarios of the Fraud Detection Handbook that one payment shows; a rule that every model has to
    be compared with, because a simulator's own rules are easily found again.
    """
    return np.maximum(log.amount > LARGE, merchant_fraud_rate(log, RISK_WINDOW_MS))


def merchant_fraud_rate(log: Log, window_ms: int) -> NDArray[np.float64]:
    """Of the merchant's payments whose label became known within the window, the share of frauds, float64[n].

    A payment at `t` sees the payments in `(t - delay - window, t - delay]`; 0 where there is none, or no merchant.
    """
    known = np.flatnonzero((log.labels >= 0) & (log.merchant != NOBODY))
    first = int(log.occurred_at_ms.min()) - log.delay_ms - window_ms if len(log.occurred_at_ms) else 0
    last = int(log.occurred_at_ms.max()) if len(log.occurred_at_ms) else 0
    span = last - first + 1
    place = log.merchant * span + (log.occurred_at_ms - first)  # merchants behind one another, each in order of time
    order = known[np.argsort(place[known], kind="stable")]
    frauds = np.append(0, np.cumsum(log.labels[order] == 1))
    upto = np.searchsorted(place[order], place - log.delay_ms, side="right")
    since = np.searchsorted(place[order], place - log.delay_ms - window_ms, side="right")
    counted = np.where(log.merchant == NOBODY, 0, upto - since)
    return np.where(counted > 0, (frauds[upto] - frauds[since]) / np.maximum(counted, 1), 0.0)


def fan_in(log: Log) -> NDArray[np.float64]:
    """How many other ends the entity had transfers with over 30 days up to each one, float64[n]; events in order of time.

    Where the entity is the receiver, that is from how many it received. Weber et al. 2018, "Scalable graph learning for
    anti-money laundering", name fan-in as a pattern of layering.
    """
    found = np.zeros(len(log.occurred_at_ms))
    latest: dict[int, dict[int, int]] = {}
    for row, (entity, other, at) in enumerate(
        zip(log.entity.tolist(), log.merchant.tolist(), log.occurred_at_ms.tolist(), strict=True)
    ):
        seen = latest.setdefault(entity, {})
        if other != NOBODY:
            seen[other] = at
        found[row] = sum(at - last < FAN_IN_WINDOW_MS for last in seen.values())
    return found


RULES: dict[str, Callable[[Log], NDArray[np.float64]]] = {
    "amount": amount,
    "amount_or_merchant_risk": amount_or_merchant_risk,
    "fan_in": fan_in,
}
"""By the name that protocols use; larger is riskier, in no unit."""
