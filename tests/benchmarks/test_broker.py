"""What is counted on the broker."""

from benchmarks.broker import watch_share_of

NONE, WATCH = b'{"level":"none"}', b'{"level":"watch"}'


def test_a_full_partition_counts_for_more_than_a_nearly_empty_one() -> None:
    """A hot account fills one partition, and its scores are unlike those of the others."""
    assert watch_share_of([(900, [WATCH, WATCH]), (100, [NONE, NONE])]) == 0.9
    assert watch_share_of([(900, []), (100, [NONE, WATCH])]) == 0.5
    assert watch_share_of([]) == 0.0
