"""The benchmark's payments: the same for everybody, accepted by the worker, and as skewed as they say."""

import numpy as np

from benchmarks.payments import BLOCK_EVENTS, Payments
from schemas.codec import EventDecoder
from schemas.events.transaction import EVENT
from stream.feed.records import encode

PAYMENTS = Payments(seed=5, accounts=2_000)


def test_the_same_seed_gives_the_same_payments() -> None:
    """Figures of two runs can be compared only if both scored the same."""
    again = Payments(seed=5, accounts=2_000)
    assert PAYMENTS.block(1).equals(again.block(1))
    assert not PAYMENTS.block(1).equals(Payments(seed=6, accounts=2_000).block(1))


def test_frames_have_the_asked_number_of_payments_in_order_of_time() -> None:
    """The backlog's size decides when a run is over."""
    frames = list(PAYMENTS.frames(BLOCK_EVENTS + 7))
    assert [frame.height for frame in frames] == [BLOCK_EVENTS, 7]
    times = frames[0]["occurred_at_ms"].append(frames[1]["occurred_at_ms"])
    assert times.is_sorted() and times.n_unique() == len(times)
    assert next(iter(PAYMENTS.frames(7, first_block=1))).equals(frames[1])


def test_every_payment_is_a_valid_event_of_about_250_bytes() -> None:
    """A refused record costs less than a scored one and would flatter the figures."""
    decoder = EventDecoder(EVENT, strict=True)
    records = encode(PAYMENTS.block(0).head(2_000))
    events = [decoder.decode(record) for record in records]
    assert len({event.event_id for event in events}) == len(records)
    assert 200 < sum(map(len, records)) / len(records) < 300


def test_some_accounts_pay_far_more_than_others() -> None:
    """Even traffic would never fill a ring or touch a tile."""
    counts = PAYMENTS.block(0)["account_id"].value_counts()["count"]
    assert int(counts.max()) > 5 * float(counts.median())  # type: ignore[arg-type]


def test_accounts_that_share_habits_are_neighbours_in_popularity() -> None:
    """A population of any size then holds the same kinds of accounts in the same shares."""
    few = Payments(seed=5, accounts=1_000, habits=10)
    assert few.habit_of(np.array([0, 99, 100, 999])).tolist() == [0, 0, 1, 9]
    assert PAYMENTS.habit_of(np.arange(2_000)).tolist() == list(range(2_000))


def test_a_larger_population_has_the_same_curve_of_popularity() -> None:
    """Were its busiest accounts busier, they would look odd to the model, and their scores be explained."""
    small, large = Payments(seed=5, accounts=100), Payments(seed=5, accounts=10_000, habits=100)
    a, b = (
        np.bincount(kind, minlength=100) / len(kind)
        for payments in (small, large)
        for kind in (payments.habit_of(payments.block(0)["account_id"].str.slice(8).cast(int).to_numpy()),)
    )
    assert np.abs(a - b).max() < 0.01 and a[0] > 2 * a[-1]


def test_time_begins_and_goes_on_as_it_is_told() -> None:
    """Payments behind a history of any age must not lie in its past."""
    later = Payments(seed=5, accounts=2_000, first_ms=7, spacing_ms=3)
    assert later.block(0)["occurred_at_ms"].head(3).to_list() == [7, 10, 13]
    assert later.block(0).drop("occurred_at_ms").equals(PAYMENTS.block(0).drop("occurred_at_ms"))
