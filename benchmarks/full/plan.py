"""What the parts of a full benchmark do: how long, how often, with which populations."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FullPlan:
    """The full benchmark.

    Attributes:
        seconds: how long each run of throughput is measured, after `warm_up_s` from its first score on.
        repetitions: runs of each point of a curve; the points alternate, and medians are reported.
        backlog_per_second: events loaded for each second of both; more than a worker can score.
        seed, partitions: as in `benchmarks.plan.Plan`.
        history_accounts, history: accounts and payments that fill the states; every entity of a larger population gets
            the state of one of these accounts.
        entities: sizes of the population; extrapolated_to: the size that the fit is extended to.
        longest_windows: longest window of a view; the other windows are shorter in proportion.
        window_events: events folded in each run, on states whose longest window is full.
        hot_share: share of the events of the one entity that gets most.
        rates: events per second at which latency is measured; rate_seconds: how long each, the first
            `settle_seconds` left out.
        rate_warm_up_seconds: how long the highest rate is held before: Java compiles a broker while it is young.
        poll_sizes: records of the polls whose times are taken; polls: how many of each size.
        cold_starts: how many.
    """

    seconds: float = 8.0
    warm_up_s: float = 3.0
    repetitions: int = 3
    backlog_per_second: int = 100_000
    seed: int = 20_260_101
    partitions: int = 4
    history_accounts: int = 20_000
    history: int = 1_300_000
    entities: tuple[int, ...] = (10_000, 100_000, 1_000_000, 2_000_000)
    extrapolated_to: int = 10_000_000
    longest_windows: tuple[str, ...] = ("1h", "1d", "7d", "30d", "90d")
    window_events: int = 100_000
    hot_share: float = 0.5
    rates: tuple[int, ...] = (500, 1_000, 2_000, 5_000, 10_000, 20_000)
    rate_seconds: float = 20.0
    settle_seconds: float = 2.0
    rate_warm_up_seconds: float = 20.0
    rate_repetitions: int = 2
    poll_sizes: tuple[int, ...] = (20, 100, 400, 1_000, 2_000, 4_000, 8_000)
    polls: int = 100
    cold_starts: int = 5

    @property
    def backlog(self) -> int:
        """Events loaded for a run of throughput."""
        return int((self.warm_up_s + self.seconds) * self.backlog_per_second)


SHORT = FullPlan(
    seconds=2.0,
    warm_up_s=1.0,
    repetitions=1,
    history_accounts=2_000,
    history=100_000,
    entities=(10_000, 50_000, 100_000),
    longest_windows=("1h", "1d", "7d"),
    window_events=20_000,
    rates=(500, 2_000),
    rate_seconds=4.0,
    settle_seconds=1.0,
    rate_warm_up_seconds=4.0,
    rate_repetitions=1,
    poll_sizes=(20, 400, 4_000),
    polls=20,
    cold_starts=2,
)
"""To see that every part works, in a few minutes; no figures of record."""
