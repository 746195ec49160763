"""What the comparison of the scorers makes of its measurements."""

import polars as pl
from polars.testing import assert_frame_equal

from benchmarks.scorer_rates import SYMBOLS, Used, daily_closes, report


def test_a_rate_is_told_as_a_share_of_the_first_line_ups() -> None:
    """A machine's own speed is nobody's merit; a median, because one poll may meet a busy moment."""
    found = {
        "quick": Used(events=8, polls=[10.0, 9.0, 90.0], stages={"model": 16e-6}),
        "slow": Used(events=8, polls=[20.0]),
    }
    quick, slow = report(found)
    assert (quick["events_per_cpu_second"], quick["share_of_first"]) == (100_000, 1.0)
    assert (slow["events_per_cpu_second"], slow["share_of_first"]) == (50_000, 0.5)
    assert quick["us_per_event_by_stage"] == {"model": 2.0}


def test_closes_are_the_same_for_a_seed_and_one_a_day_for_each_share() -> None:
    """Both sides of a comparison must get the same events."""
    once, again = (pl.concat(daily_closes(7, 2 * SYMBOLS)) for _ in range(2))
    assert_frame_equal(once, again)
    assert once.height == 2 * SYMBOLS == once["event_id"].n_unique()
    assert (once["price"] > 0).all()
