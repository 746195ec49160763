"""Simulated cards: the same for the same seed, with frauds that can be told apart by what is known."""

import numpy as np

from training.simulated_cards import DAY_MS, START_MS, Town, simulated_cards

SMALL = Town(cards=60, merchants=40, days=40, tampered_every_days=20.0)


def test_the_same_seed_gives_the_same_payments():
    """The shipped bundle can be made again from its seed."""
    assert simulated_cards(7, SMALL).equals(simulated_cards(7, SMALL))
    assert not simulated_cards(7, SMALL).equals(simulated_cards(8, SMALL))


def test_payments_are_in_order_of_time_and_within_the_days():
    """A file that is fed is read in its order."""
    frame = simulated_cards(7, SMALL)
    assert frame["occurred_at_ms"].is_sorted()
    assert frame["occurred_at_ms"].min() >= START_MS
    assert frame["occurred_at_ms"].max() < START_MS + SMALL.days * DAY_MS
    assert frame["event_id"].is_unique().all()


def test_large_payments_are_frauds_and_frauds_are_few():
    """One kind of fraud is told by its amount alone; the others are not."""
    frame = simulated_cards(7, SMALL)
    fraud, amount = frame["fraud"].to_numpy() == 1, frame["amount"].to_numpy()
    assert fraud[amount > SMALL.large].mean() > 0.9
    assert 0.005 < fraud.mean() < 0.15
    assert (fraud & (amount < np.median(amount))).any()
