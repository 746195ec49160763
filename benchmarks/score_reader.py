"""A reader of scores in a process of its own: which payment's score arrived when.

Run by the benchmark: `python -m benchmarks.score_reader BOOTSTRAP TOPIC PARTITIONS FIRST COUNT FILE`. Prints `ready`,
reads until the scores of payments `FIRST` to `FIRST + COUNT` are there or none came for a while, and writes an array
int64[n, 2] of payment number and nanoseconds of the machine's steady clock.
"""

import re
import sys
import time
from pathlib import Path

import numpy as np
from confluent_kafka import Consumer, TopicPartition

IDLE_S = 8.0
EVENT_ID = re.compile(rb'"event_id": ?"p(\d{12})"')
OF_SCORER = re.compile(rb'"scorer": ?"payment_anomaly"')


def read_scores(bootstrap: str, topic: str, partitions: int, wanted: range) -> list[tuple[int, int]]:
    """Payment number and time of arrival of each score, from now on, one for each payment; says `ready` first."""
    address = {"bootstrap.servers": bootstrap, "group.id": "score-reader"}
    consumer = Consumer(address | {"enable.auto.commit": False, "auto.offset.reset": "error"})
    starts = []
    for partition in range(partitions):
        _, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=30)
        starts.append(TopicPartition(topic, partition, high))
    consumer.assign(starts)
    consumer.poll(0.2)
    print("ready", flush=True)
    arrived: dict[int, int] = {}
    last_s: float | None = None
    while len(arrived) < len(wanted) and (last_s is None or time.monotonic() - last_s < IDLE_S):
        record = consumer.poll(0.5)
        now_ns = time.monotonic_ns()
        if record is None or record.error() is not None:
            continue
        value = record.value() or b""
        event_id = EVENT_ID.search(value)
        if event_id is not None and OF_SCORER.search(value) and int(event_id[1]) in wanted:
            arrived.setdefault(int(event_id[1]), now_ns)
            last_s = time.monotonic()
    consumer.close()
    return list(arrived.items())


def main(arguments: list[str]) -> None:
    """Reads and writes the file."""
    bootstrap, topic, partitions, first, count, file = arguments
    wanted = range(int(first), int(first) + int(count))
    arrived = read_scores(bootstrap, topic, int(partitions), wanted)
    np.save(Path(file), np.array(arrived, np.int64).reshape(-1, 2))


if __name__ == "__main__":
    main(sys.argv[1:])
