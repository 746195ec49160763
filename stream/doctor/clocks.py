"""How far the clocks of broker and Redis are from this machine's."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.topics import ACTIVATIONS
from scoring.clock import now_ms
from stream.doctor.finding import Finding, Level, fine, judged
from stream.kafka import client_arguments
from stream.settings import Settings

AREA = "clock"
LOG_APPEND_TIME = 1
PROBES = 3
ANSWER_WITHIN_MS = 10_000
NOTICEABLE_MS = 1_000
DO = "set the clocks by NTP (timedatectl set-ntp true) on every machine"


@dataclass(frozen=True)
class Reading:
    """A clock read over a network: milliseconds it is ahead of ours, and how far that may be off."""

    ahead_ms: float
    within_ms: float


def reading_of(asked_ms: int, told_ms: int, answered_ms: int) -> Reading:
    """The reading from a question and its answer; it was read somewhere between.

    >>> reading_of(1_000, 1_060, 1_020)
    Reading(ahead_ms=50.0, within_ms=10.0)
    """
    return Reading(told_ms - (asked_ms + answered_ms) / 2, (answered_ms - asked_ms) / 2)


def judge_clock(subject: str, readings: Sequence[Reading], *, skew_ms: int) -> Finding:
    """What the best of the readings says.

    Args:
        skew_ms: from here on events are refused as coming from the future, or let through though they do.
    """
    best = min(readings, key=lambda reading: reading.within_ms)
    least = max(0.0, abs(best.ahead_ms) - best.within_ms)
    side = "ahead of" if best.ahead_ms > 0 else "behind"
    found = f"{abs(best.ahead_ms):.0f} ms {side} this machine, give or take {best.within_ms:.0f} ms"
    level: Level = "error" if least >= skew_ms else "warning" if least >= NOTICEABLE_MS else "ok"
    return judged(level, fine(AREA, subject, found, f"within {NOTICEABLE_MS} ms"), do=DO)


async def read_broker_clock(settings: Settings) -> list[Reading]:
    """Readings of the broker's clock: it stamps records on arrival and says when.

    The probes are tombstones on `activations` under a key that nothing reads; compaction drops them.

    Raises:
        KafkaError: nothing can be written there.
    """
    producer = AIOKafkaProducer(**client_arguments(settings), acks="all", request_timeout_ms=ANSWER_WITHIN_MS)
    readings = []
    try:
        await producer.start()
        for _ in range(PROBES):
            asked_ms = now_ms()
            key = f"{settings.namespace}|probe|clock".encode()
            taken = await producer.send_and_wait(ACTIVATIONS, key=key, value=None, partition=0)
            if taken.timestamp_type == LOG_APPEND_TIME:
                readings.append(reading_of(asked_ms, taken.timestamp, now_ms()))
    finally:
        await producer.stop()
    return readings


async def examine_broker_clock(settings: Settings) -> Finding:
    """The finding on the broker's clock, or that nothing can be written."""
    try:
        readings = await read_broker_clock(settings)
    except KafkaError as error:
        finding = fine(AREA, "broker", f"{ACTIVATIONS} takes no record: {error}", "a record is acknowledged")
        return judged(
            "error", finding, do="give the workers' user the right to write, or see the broker's log"
        )
    if not readings:
        finding = fine(AREA, "broker", f"{ACTIVATIONS} does not stamp records on arrival", "LogAppendTime")
        return judged(
            "warning", finding, do="see the finding on that topic; then run riskstream doctor again"
        )
    return judge_clock("broker", readings, skew_ms=settings.skew_ms)
