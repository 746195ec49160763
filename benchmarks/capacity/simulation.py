"""A simulation of workers and Redis shards at a given rate, with the measured times of polls.

Events arrive evenly at each worker. A worker takes what waits, at most a full poll; it is busy while it waits for the
states and for as long as the poll costs it CPU. Outputs and commit of one poll are under way beside the next poll, not of
two. A shard serves one call after another. Kafka is a delay, the measured one; its own limits are in `demand`.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from benchmarks.capacity.poll_times import PollTimes
from stream.settings import Settings

PROBES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where in the row of a poll's events latencies are taken."""

@dataclass(frozen=True, kw_only=True)
class Fleet:
    """What is simulated.

    Attributes:
        shares: of all events, by partition; partition p is worker `p % workers`'s and lies in shard `p % shards`.
        redis_us: microseconds of a shard per event, half of it for the read and half for the write.
        most_records: of one poll.
        round_trip_s: between any two machines.
    """

    workers: int
    shards: int
    shares: Sequence[float]
    redis_us: float
    most_records: int = Settings.model_fields["poll_records"].default
    round_trip_s: float = 0.0005


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        p50_ms, p99_ms: from arrival to acknowledged score.
        worker_share, shard_share: of the time, how long the busiest was busy.
        waiting: events not scored when the time was over, at the worker with most of them, in seconds of its arrivals.
    """

    events_per_second: float
    p50_ms: float
    p99_ms: float
    worker_share: float
    shard_share: float
    waiting_s: float

    @property
    def keeps_up(self) -> bool:
        """Whether nobody falls behind: what waits is less than half a second of arrivals."""
        return self.waiting_s < 0.5


@dataclass(eq=False)
class _Worker:
    """A worker's row of events: number i arrives at i / rate.

    Attributes:
        parts: shard and share of the worker's events of each of its partitions.
        taken: events; free_s: when the last poll has cost all its CPU; under_way: polls not committed.
        held: whether the next poll waits for a commit.
    """

    rate: float
    parts: list[tuple[int, float]]
    taken: int = 0
    busy_s: float = 0.0
    free_s: float = 0.0
    under_way: int = 0
    held: bool = False
    finished_s: float = 0.0


@dataclass(eq=False)
class Simulation:
    """One run; the same seed gives the same."""

    fleet: Fleet
    times: PollTimes
    events_per_second: float
    seconds: float = 10.0
    seed: int = 1

    def run(self) -> Outcome:
        """Simulates; the first fifth of the time does not count for the latencies."""
        self._chance = np.random.default_rng(self.seed)
        self._free_s, self._served_s = [0.0] * self.fleet.shards, [0.0] * self.fleet.shards
        self._took: list[tuple[float, int]] = []
        self._due: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._order = count()
        workers = self._workers()
        for worker in workers:
            self._at(1 / worker.rate, self._poll, worker)
        while self._due and self._due[0][0] < self.seconds:
            at_s, _, happens, what = heapq.heappop(self._due)
            happens(at_s, *what)
        return self._outcome(workers)

    def _at(self, at_s: float, happens: Callable[..., None], *what: object) -> None:
        heapq.heappush(self._due, (at_s, next(self._order), happens, what))

    def _workers(self) -> list[_Worker]:
        fleet = self.fleet
        found = []
        for number in range(fleet.workers):
            own = [(p % fleet.shards, share) for p, share in enumerate(fleet.shares) if p % fleet.workers == number]
            total = sum(share for _, share in own)
            if total > 0:
                parts = [(shard, share / total) for shard, share in own]
                found.append(_Worker(self.events_per_second * total, parts))
        return found

    def _poll(self, at_s: float, worker: _Worker) -> None:
        records = min(int(at_s * worker.rate) - worker.taken, self.fleet.most_records)
        if records <= 0:
            self._at((worker.taken + 1) / worker.rate + 1e-9, self._poll, worker)
            return
        compute_s, cpu_s, produce_s, commit_s = self._draw(records)
        states_s = self._served(worker, at_s, records)
        done_s = states_s + compute_s + produce_s + self.fleet.round_trip_s
        if at_s > self.seconds / 5:
            self._note(worker, done_s, records)
        worker.taken += records
        worker.busy_s += max(cpu_s, compute_s)
        worker.free_s = states_s + max(cpu_s, compute_s)
        worker.under_way += 1
        self._at(done_s, self._commit, worker, records, commit_s)
        worker.held = worker.under_way > 1  # one poll is on its way beside the next, not two
        if not worker.held:
            self._at(worker.free_s, self._poll, worker)

    def _commit(self, at_s: float, worker: _Worker, records: int, commit_s: float) -> None:
        served_s = self._served(worker, at_s, records)
        worker.finished_s = max(served_s, at_s + commit_s, worker.finished_s)
        self._at(worker.finished_s, self._finished, worker)

    def _finished(self, at_s: float, worker: _Worker) -> None:
        worker.under_way -= 1
        if worker.held:
            worker.held = False
            self._at(max(at_s, worker.free_s), self._poll, worker)

    def _note(self, worker: _Worker, done_s: float, records: int) -> None:
        there_s = done_s + self.fleet.round_trip_s
        for part in PROBES:
            arrival_s = (worker.taken + part * (records - 1) + 1) / worker.rate
            self._took.append((there_s - arrival_s, records))

    def _draw(self, records: int) -> tuple[float, ...]:
        """Seconds of computing, of CPU, to Kafka and of commit; a poll that takes long to compute costs as much CPU."""
        computing, producing, committing = self._chance.random(3).tolist()
        chances = {"compute": computing, "cpu": computing, "produce": producing, "commit": committing}
        return tuple(self.times.draw(stage, records, chance) for stage, chance in chances.items())

    def _served(self, worker: _Worker, at_s: float, records: int) -> float:
        """When all shards of the worker's partitions have answered half of the work of so many events."""
        ready_s = at_s
        for shard, share in worker.parts:
            service_s = records * share * self.fleet.redis_us / 2e6
            begin_s = max(at_s, self._free_s[shard])
            self._free_s[shard] = begin_s + service_s
            self._served_s[shard] += service_s
            ready_s = max(ready_s, begin_s + service_s)
        return ready_s + self.fleet.round_trip_s

    def _outcome(self, workers: Sequence[_Worker]) -> Outcome:
        latency_s, weight = np.array(self._took or [(float("nan"), 1)]).T  # (probe,), (probe,)
        order = np.argsort(latency_s)
        reached = np.cumsum(weight[order]) / weight.sum()
        p50, p99 = (float(latency_s[order][np.searchsorted(reached, share)]) for share in (0.5, 0.99))
        return Outcome(
            events_per_second=self.events_per_second,
            p50_ms=1e3 * p50,
            p99_ms=1e3 * p99,
            worker_share=min(1.0, max(worker.busy_s for worker in workers) / self.seconds),
            shard_share=min(1.0, max(self._served_s) / self.seconds),
            waiting_s=max(self.seconds - worker.taken / worker.rate for worker in workers),
        )


def even_shares(partitions: int) -> tuple[float, ...]:
    """All partitions alike."""
    return (1 / partitions,) * partitions


def with_hot_entity(partitions: int, share: float) -> tuple[float, ...]:
    """One entity has this share of all events, in partition 0; the rest is even.

    >>> with_hot_entity(4, 0.2)
    (0.4, 0.2, 0.2, 0.2)
    """
    rest = (1 - share) / partitions
    return (round(share + rest, 12), *((rest,) * (partitions - 1)))
