"""Card payments of our own making, with frauds: what the shipped fraud model learns from, and says so.

Cards pay at merchants near by, each around an amount of its own. Frauds come in three kinds that are described in the
literature: a payment far too large; a merchant whose terminal is tampered with for some weeks; and a stolen card that
pays more and dearer than its owner. Every figure a model reaches here is one about this simulation.

Source of the kinds: Le Borgne, Siblini, Lebichot, Bontempi 2022, "Fraud Detection Handbook", chapter 3; the numbers here
are our own.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

DAY_MS = 86_400_000
START_MS = 1_704_067_200_000
"""2024-01-01 UTC."""


@dataclass(frozen=True)
class Town:
    """How large the simulation is.

    Attributes:
        near: merchants that a card pays at.
        tampered_every_days: mean time between two merchants' tampering; stolen_every_days: between two stolen cards.
        large: amount beyond which a payment is fraud.
    """

    cards: int = 400
    merchants: int = 250
    days: int = 90
    near: int = 20
    tampered_every_days: float = 4.0
    stolen_every_days: float = 2.0
    tampered_days: int = 21
    stolen_days: int = 10
    large: float = 260.0


def simulated_cards(seed: int, town: Town = Town()) -> pl.DataFrame:
    """Payments in order of time, with the event's fields and `fraud`, 0 or 1; the same for the same seed."""
    generator = np.random.default_rng(seed)
    usual = generator.uniform(8, 90, town.cards)
    a_day = generator.uniform(0.2, 2.0, town.cards)
    near = np.stack([generator.choice(town.merchants, town.near, replace=False) for _ in range(town.cards)])
    counts = generator.poisson(a_day[:, None], (town.cards, town.days))
    card = np.repeat(np.arange(town.cards), counts.sum(axis=1))
    day = np.concatenate([np.repeat(np.arange(town.days), row) for row in counts])
    second = np.clip(generator.normal(50_000, 15_000, len(card)), 0, 86_399).astype(np.int64)
    merchant = near[card, generator.integers(0, town.near, len(card))]
    amount = np.abs(generator.normal(usual[card], usual[card] / 2)) + 0.5
    rare = generator.random(len(card)) < 0.001
    amount = np.where(rare, generator.uniform(town.large, 3 * town.large, len(card)), amount)
    fraud = amount > town.large
    for begin in _begins(generator, town.days, town.tampered_every_days):
        struck = merchant == generator.integers(town.merchants)
        fraud |= struck & (day >= begin) & (day < begin + town.tampered_days)
    for begin in _begins(generator, town.days, town.stolen_every_days):
        stolen = (card == generator.integers(town.cards)) & (day >= begin) & (day < begin + town.stolen_days)
        stolen &= generator.random(len(card)) < 1 / 3
        amount = np.where(stolen, amount * 5, amount)
        fraud |= stolen
    at = START_MS + day * DAY_MS + second * 1_000
    order = np.argsort(at, kind="stable")
    return pl.DataFrame(
        {
            "event_id": [f"simulated-{number}" for number in range(len(order))],
            "occurred_at_ms": at[order],
            "account_id": [f"card-{number}" for number in card[order]],
            "amount": np.round(amount[order], 2),
            "merchant_id": [f"terminal-{number}" for number in merchant[order]],
            "fraud": fraud[order].astype(np.int8),
        }
    )


def _begins(generator: np.random.Generator, days: int, every_days: float) -> list[int]:
    """Days on which something begins, at random."""
    return sorted(generator.integers(0, days, generator.poisson(days / every_days)).tolist())
