"""What a benchmark run does: how long, how often, with which payments."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import NAMES

ROOT = Path(__file__).parents[1]
BUNDLES = Path(__file__).parent / "bundles"
CARDS = ROOT.parent / "shared" / "data" / "transactions" / "handbook_2018-04-01_2018-07-24.parquet"
"""The development cards, when somebody has them beside the project."""


class BenchmarkFailed(Exception):
    """A pipeline did not do its work, so that there is nothing to measure; the text has the end of its log."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A benchmark run.

    Attributes:
        seconds: how long throughput is measured in each run, from the first output on.
        repetitions: runs of each pipeline; they alternate, and medians are reported.
        seed, accounts: of the payments.
        partitions: of every topic.
        backlog_per_second: events loaded beforehand for each second; more than any pipeline can score.
        latency_rates: events per second at which latency is measured, ascending: riskstream's at all of them.
        latency_seconds: how long each of them is held; the first `latency_settle_seconds` do not count.
        latency_warm_up_seconds: how long the highest of its rates is held before: Java compiles a broker, and what runs
            in Java itself, while they are young.
        bearable_share: the others' at those up to this share of their own throughput, or at that share itself.
        offline_events: events of the replay and of the feed.
        compared_payments: the scores of the first so many are compared with what riskstream's core says of them.
        compared_per_partition: how many at most of each output partition.
        limit_seconds: how long each run of a limit is measured; limit_repetitions: runs of each.
        limit_history: payments that have filled the states which the limits read, write and fold.
    """

    seconds: float = 15.0
    repetitions: int = 3
    seed: int = 20_260_101
    accounts: int = 20_000
    partitions: int = 4
    backlog_per_second: int = 100_000
    latency_rates: tuple[int, ...] = (1_000, 10_000)
    latency_seconds: float = 12.0
    latency_settle_seconds: float = 2.0
    latency_warm_up_seconds: float = 15.0
    bearable_share: float = 0.5
    offline_events: int = 4_000_000
    compared_payments: int = 100_000
    compared_per_partition: int = 500
    limit_seconds: float = 3.0
    limit_repetitions: int = 1
    limit_history: int = 1_000_000
    pipelines: tuple[str, ...] = NAMES

    @property
    def backlog(self) -> int:
        """Events loaded beforehand."""
        return int(self.seconds * self.backlog_per_second)
