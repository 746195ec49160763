"""What was to be reached, beside what was: worked out from the results, met or not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.table import Table

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        wanted: a bound; at_least: whether it is a lower one.
        reached: the figure, from the results of `python -m benchmarks` and of its full part.
        form: how both are told.
    """

    about: str
    wanted: float
    reached: Callable[[Mapping[str, Any], Mapping[str, Any]], float]
    at_least: bool = True
    form: str = "{:,.1f}"

    def row(self, latest: Mapping[str, Any], full: Mapping[str, Any]) -> tuple[str, str, str, str]:
        """The goal as a line of a table; what the results do not have is said to be not measured."""
        wanted = f"{'at least' if self.at_least else 'at most'} {self.form.format(self.wanted)}"
        try:
            reached = self.reached(latest, full)
        except KeyError:
            return self.about, wanted, NOT_MEASURED, ""
        met = reached >= self.wanted if self.at_least else reached <= self.wanted
        return self.about, wanted, self.form.format(reached), "yes" if met else "**no**"


def times_of(other: str, figure: str = "events_per_second") -> Callable[[Mapping[str, Any], Mapping[str, Any]], float]:
    """How many times as much of a figure one worker has as another pipeline."""

    def ratio(latest: Mapping[str, Any], _: Mapping[str, Any]) -> float:
        pipelines = latest["pipelines"]
        return float(pipelines["riskstream"][figure] / pipelines[other][figure])

    return ratio


def p99_at(rate: int) -> Callable[[Mapping[str, Any], Mapping[str, Any]], float]:
    """Milliseconds of one worker at a rate, of the curve of latency against load."""
    return lambda _, full: float(full["load"]["results"]["one_worker"][str(rate)]["p99_ms"])


def growth(part: str, first: str, last: str, figure: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], float]:
    """How many times a figure of one point of a curve is that of another."""

    def ratio(_: Mapping[str, Any], full: Mapping[str, Any]) -> float:
        points = full[part]["results"]
        return float(_at(points, last)[figure] / _at(points, first)[figure])

    return ratio


def _at(points: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    for name in path.split("/"):
        points = points[name]
    return points


GOALS = (
    Goal("times the Faust agent event by event", 60, times_of("faust_per_event")),
    Goal("times Quix Streams", 8, times_of("quix")),
    Goal("times the core on bare aiokafka", 1.0, times_of("core_on_aiokafka"), form="{:.2f}"),
    Goal("times the core on confluent-kafka", 0.8, times_of("core_on_confluent"), form="{:.2f}"),
    Goal("times Kafka Streams, per CPU second", 1.0, times_of("kafka_streams", "events_per_cpu_second")),
    Goal(
        "events/s per CPU second of a worker", 100_000,
        lambda latest, _: latest["pipelines"]["riskstream"]["events_per_cpu_second"], form="{:,.0f}",
    ),
    Goal("p99 at 1,000 events/s, ms", 25, p99_at(1_000), at_least=False, form="{:.0f}"),
    Goal("p99 at 10,000 events/s, ms", 40, p99_at(10_000), at_least=False, form="{:.0f}"),
    Goal(
        "with the attention model beside it, times without", 0.5,
        lambda latest, full: 1 / times_of("riskstream_with_shadow")(latest, full), form="{:.2f}",
    ),
    Goal(
        "replay of files on one core, events/s", 300_000,
        lambda latest, _: (latest["replay"] or {})["events_per_second"], form="{:,.0f}",
    ),
    Goal(
        "feed, events/s", 100_000, lambda latest, _: (latest["feed"] or {})["events_per_second"], form="{:,.0f}"
    ),
    Goal(
        "first score after a start, s", 5.0, lambda _, full: full["cold_start"]["results"]["first_score_s"],
        at_least=False,
    ),
    Goal(
        "CPU per event of a worker, 2 million entities to 100 thousand", 1.1,
        growth("entities", "points/100000", "points/2000000", "worker_cpu_us"), at_least=False, form="{:.2f}",
    ),
    Goal(
        "CPU per event of a worker, 2 million entities to 10 thousand", 1.1,
        growth("entities", "points/10000", "points/2000000", "worker_cpu_us"), at_least=False, form="{:.2f}",
    ),
    Goal(
        "CPU per event of Redis, 2 million entities to 100 thousand", 1.1,
        growth("entities", "points/100000", "points/2000000", "redis_cpu_us"), at_least=False, form="{:.2f}",
    ),
    Goal(
        "fold, longest window of 90 days to 1 hour, an event a minute", 1.1,
        growth("windows", "busy/points/1h", "busy/points/90d", "fold_us"), at_least=False, form="{:.2f}",
    ),
    Goal(
        "CPU per event, one account with half of all to all alike", 1.1,
        growth("skew", "uniform", "one_gets_half", "worker_cpu_us"), at_least=False, form="{:.2f}",
    ),
    Goal(
        "two workers, times one, on cores of their own", 1.7, lambda latest, _: latest["two_workers_on_own_cores"],
        form="{:.2f}",
    ),
)  # fmt: skip
"""In the order of the page; the last one needs more cores than the benchmark has."""


def goals_table(latest: Mapping[str, Any], full: Mapping[str, Any]) -> Table:
    """Every goal, what was wanted, what was reached."""
    return Table("goals", ("", "wanted", "reached", "met"), tuple(goal.row(latest, full) for goal in GOALS))
