"""The agent that riskstream is compared with computes what riskstream computes."""

import random

import numpy as np
import pytest

from benchmarks.competitors.obvious_features import DAY_MS, LONGEST_MS, obvious_features
from schemas.events.transaction import EVENT, Transaction
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.views.account_activity import VIEW


@pytest.mark.parametrize("seed", range(5))
def test_the_obvious_agent_gives_the_model_the_features_of_the_view(seed: int) -> None:
    """A competitor that is spared the work would be no measure, and one that does other work neither."""
    chance = random.Random(seed)
    past: list[dict[str, object]] = []
    now = 1_700_000_000_000
    for number in range(30):
        now += chance.choice((1_000, 600_000, DAY_MS // 3, 2 * DAY_MS))
        payment = {
            "event_id": f"p{number}",
            "occurred_at_ms": now,
            "account_id": "a",
            "amount": round(chance.uniform(-10, 90), 2),
            "currency": "EUR",
            "merchant_id": f"m{chance.randrange(6)}",
            "country": chance.choice(("DE", "FR")),
            "balance": round(chance.uniform(100, 1_000), 2),
        }
        past.append(payment)
    events = [Transaction(**payment) for payment in past]
    vectors = fold_table(VIEW, EventBatch.from_events(EVENT, events)).vectors
    for row, payment in enumerate(past):
        recent = [one for one in past[:row] if one["occurred_at_ms"] > payment["occurred_at_ms"] - LONGEST_MS]
        found = obvious_features(payment, recent)
        assert set(found) == set(VIEW.feature_names)
        given = np.array([found[name] for name in VIEW.feature_names])
        close = np.isclose(given, vectors[row], rtol=1e-4, atol=1e-4, equal_nan=True)
        assert close.all(), [
            (name, given[place], vectors[row, place]) for place, name in enumerate(VIEW.feature_names) if not close[place]
        ]
