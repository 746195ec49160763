"""The faults: each a function that does its harm and returns when that is over; what is broken then must mend."""

import random
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from stream.services.process import ChildProcess
from tests.support.event_feed import PAYMENTS, TICKS
from tests.support.worker_process import WorkerProcess
from tests.torture.feed import abort_a_transaction, bad
from tests.torture.house import House, TortureFailed
from tests.torture.network import (
    cut_connections,
    half_open,
    refuse_connections,
    reset_within_frames,
    slow_network,
)
from tests.torture.worker import POINTS

Harm = Callable[[House, random.Random], None]
PAST_THE_SESSION_S = (8.0, 12.0)
CRASHES_WITHIN_S = 40.0
FLOOD = 900
"""More than half of the last 1,000 records, and little enough that one resume is the end of it."""

REPORTED_WITHIN_S, PAUSED_WITHIN_S, ENDS_WITHIN_S = 30.0, 120.0, 60.0


@dataclass(frozen=True)
class Fault:
    """A fault by name; `weight` is how often it comes beside the others, `kills` how many `kill -9` it holds."""

    name: str
    weight: int
    harm: Harm
    kills: int = 0


def _some(house: House, chance: random.Random) -> WorkerProcess:
    return house.workers[chance.choice(sorted(house.workers))]


def kill_worker(house: House, chance: random.Random) -> None:
    """At any moment; now and then it stays away until its membership has run out."""
    worker = _some(house, chance)
    worker.kill()
    time.sleep(chance.choice((0.0, 0.0, 1.0, 8.0)))
    worker.start()


def kill_both_workers(house: House, chance: random.Random) -> None:
    """Nobody is left to take over."""
    for worker in house.workers.values():
        worker.kill()
    time.sleep(chance.uniform(0, 2))
    for worker in house.workers.values():
        worker.start()


def crash_at_a_point(house: House, chance: random.Random) -> None:
    """Before or after reading, scoring, producing, acknowledgement, commit, acquire, activation."""
    _armed(house, chance, "kill")


def raise_at_a_point(house: House, chance: random.Random) -> None:
    """An error that nobody expects: the worker drops its leases and goes on, or ends; it never continues past it."""
    _armed(house, chance, "raise")


def _armed(house: House, chance: random.Random, do: str) -> None:
    worker, point = _some(house, chance), chance.choice(POINTS)
    worker.kill()
    # what is rare comes at once, or not at all
    count = 0 if point.endswith(("acquire", "activation")) else chance.randrange(30)
    worker.variables = {"TORTURE_POINT": point, "TORTURE_COUNT": str(count), "TORTURE_DO": do}
    worker.start()
    worker.variables = {}
    if "activation" in point:
        _activate(house, chance)
    deadline = time.monotonic() + (CRASHES_WITHIN_S if do == "kill" else 12)
    while worker.running and time.monotonic() < deadline:
        time.sleep(0.05)
    if do == "raise" and worker.running:
        return  # it caught itself
    worker.kill()
    worker.start()


def terminate_worker(house: House, chance: random.Random) -> None:
    """Asked to end, it drains: all that it wrote is committed."""
    worker = _some(house, chance)
    _told_to_end(worker)
    worker.start()


def _told_to_end(worker: WorkerProcess) -> None:
    """SIGTERM, if it is ready, else SIGKILL."""
    if not worker.ready()[0]:
        worker.kill()
        return
    try:
        code: int | None = worker.terminate(within_s=ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        code = None
    if code != 0:
        ended = "did not end" if code is None else f"ended with {code}"
        raise TortureFailed(f"told to end, a worker {ended}: {worker.log()[-1_000:]}")


def freeze_worker(house: House, chance: random.Random) -> None:
    """Stopped past its session, replaced, and back: a zombie."""
    _stopped(_some(house, chance), chance.uniform(*PAST_THE_SESSION_S))


def hiccup_worker(house: House, chance: random.Random) -> None:
    """Stopped for less than its session."""
    _stopped(_some(house, chance), chance.uniform(0.5, 4.0))


def _stopped(process: WorkerProcess | ChildProcess, seconds: float) -> None:
    process.pause()
    try:
        time.sleep(seconds)
    finally:
        process.resume()


def kill_kafka(house: House, chance: random.Random) -> None:
    """Killed under load, and started again on the same log."""
    house.kafka.kill()
    if chance.random() < 0.5:
        house.expect_not_ready("Kafka")
    house.kafka.restart()


def pause_kafka(house: House, chance: random.Random) -> None:
    """Nothing answers, every connection stays open."""
    _stopped(house.kafka.process, chance.choice((5.0, 5.0, 30.0)))


def kill_redis(house: House, chance: random.Random) -> None:
    """Killed with up to a second of its log not on disk, or with all of it there: then nothing goes back."""
    always = chance.random() < 0.5
    if always:
        house.sync_redis_always()
    before = house.committed() if always else {}
    house.redis.kill()
    if chance.random() < 0.5:
        house.expect_not_ready("Redis")
    house.redis.restart()
    after = house.committed() if always else {}
    if any(after.get(place, -1) < offset for place, offset in before.items()):
        raise TortureFailed(f"Redis wrote each change to disk before it answered, and went back: {before}, {after}")


def pause_redis(house: House, chance: random.Random) -> None:
    """Nothing answers, every connection stays open."""
    _stopped(house.redis.process, chance.choice((5.0, 5.0, 30.0)))


def empty_redis(house: House, _: random.Random) -> None:
    """FLUSHALL."""
    said = house.reports_of_going_back()
    house.flush()
    _reported(house, said)


def restore_an_old_redis(house: House, chance: random.Random) -> None:
    """A copy of its files from some seconds ago, under two live workers."""
    saved = house.folder / "redis-saved"
    shutil.rmtree(saved, ignore_errors=True)
    shutil.copytree(house.redis.folder / "appendonlydir", saved)
    time.sleep(chance.uniform(2, 8))
    said = house.reports_of_going_back()
    house.redis.kill()
    shutil.rmtree(house.redis.folder / "appendonlydir")
    shutil.copytree(saved, house.redis.folder / "appendonlydir")
    house.redis.restart()
    _reported(house, said)


def _reported(house: House, before: int) -> None:
    """Offsets that go back are said, not passed over."""
    deadline = time.monotonic() + REPORTED_WITHIN_S
    while house.reports_of_going_back() == before:
        if time.monotonic() > deadline:
            raise TortureFailed("Redis went back, and no worker said so")
        time.sleep(0.2)


def join_and_leave(house: House, chance: random.Random) -> None:
    """More workers come and go, some in order and some not."""
    extra = [house.extra_worker(f"extra-{chance.randrange(10**6)}").start() for _ in range(chance.randrange(1, 4))]
    time.sleep(chance.uniform(3, 9))
    for worker in extra:
        if chance.random() < 0.5:
            worker.kill()
        else:
            _told_to_end(worker)


def activate_another_bundle(house: House, chance: random.Random) -> None:
    """Under load; now and then the worker dies before it has used it."""
    _activate(house, chance)
    if chance.random() < 0.5:
        kill_worker(house, chance)


def _activate(house: House, chance: random.Random) -> None:
    from stream.bundle_library import BundleLibrary

    digests = sorted(BundleLibrary((house.first, house.second)).digests("payment_anomaly"))
    done = house.run("activate", "payment_anomaly", chance.choice(digests))
    if done.returncode:
        raise TortureFailed(f"riskstream activate: {done.stderr[-1_000:]}")


def flood_of_bad_records(house: House, chance: random.Random) -> None:
    """A partition of nothing else: it pauses and says so, and goes on when it is told to."""
    topic, partition = chance.choice((PAYMENTS, TICKS)), chance.randrange(4)
    for _ in range(FLOOD):
        _, _, value = bad(chance, (topic, b"k", b'{"event_id":"flood"}'))
        house.feed.send_raw(topic, b"k", value, partition=partition)
    deadline = time.monotonic() + PAUSED_WITHIN_S
    while not any("is paused" in problem for worker in house.workers.values() for problem in worker.ready()[1]):
        if time.monotonic() > deadline:
            raise TortureFailed(f"{topic} {partition} took {FLOOD} bad records in a row and did not pause")
        time.sleep(0.1)
    # what is said before the pause is committed would be of an earlier one
    time.sleep(1)
    done = house.run("resume", topic, str(partition))
    if done.returncode:
        raise TortureFailed(f"riskstream resume: {done.stderr[-1_000:]}")


def abort_transaction(house: House, chance: random.Random) -> None:
    """Events that were never sent, and markers that nobody sees."""
    abort_a_transaction(house.kafka_bootstrap, chance.randrange(10**6))


FAULTS = (
    Fault("kill_worker", 14, kill_worker, kills=1),
    Fault("kill_both_workers", 4, kill_both_workers, kills=2),
    Fault("crash_at_a_point", 14, crash_at_a_point, kills=2),
    Fault("raise_at_a_point", 6, raise_at_a_point, kills=1),
    Fault("terminate_worker", 6, terminate_worker),
    Fault("freeze_worker", 6, freeze_worker),
    Fault("hiccup_worker", 3, hiccup_worker),
    Fault("kill_kafka", 5, kill_kafka),
    Fault("pause_kafka", 3, pause_kafka),
    Fault("kill_redis", 6, kill_redis),
    Fault("pause_redis", 3, pause_redis),
    Fault("empty_redis", 2, empty_redis),
    Fault("restore_an_old_redis", 4, restore_an_old_redis),
    Fault("cut_connections", 5, cut_connections),
    Fault("reset_within_frames", 5, reset_within_frames),
    Fault("half_open", 5, half_open),
    Fault("slow_network", 3, slow_network),
    Fault("refuse_connections", 4, refuse_connections),
    Fault("join_and_leave", 4, join_and_leave),
    Fault("activate_another_bundle", 4, activate_another_bundle),
    Fault("flood_of_bad_records", 2, flood_of_bad_records),
    Fault("abort_transaction", 3, abort_transaction),
)
