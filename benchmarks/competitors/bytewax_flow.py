"""Bytewax: its Kafka connectors and a `stateful_map`, with recovery to its own database, so that state is kept.

Per event: JSON by hand, the account's payments of 30 days from the map's state and back into it, the features by numpy,
the very model that riskstream runs, and its Kafka sink with 5 ms of linger. It is spared what `faust_per_event` is
spared, and counts an event twice after a crash. Everything that the benchmark does not name is as Bytewax ships it.
Run by the benchmark, by an interpreter that has `bytewax[kafka]`; the benchmark gives `BENCH_` variables.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.competitors.obvious_scoring import LINGER_MS, ObviousScoring, headers_of, not_older


def build_flow(given: Mapping[str, str]) -> Any:
    """The dataflow.

    Args:
        given: Kafka, bundle folder, policy digest, source and output topic, compression.
    """
    scoring = ObviousScoring(given)
    brokers = [given["BENCH_KAFKA"]]
    producer = {
        "linger.ms": str(LINGER_MS),
        "compression.type": given["BENCH_COMPRESSION"],
        "partitioner": "murmur2_random",
    }

    def score(past: list[Any] | None, record: Any) -> tuple[list[Any], Any]:
        payment = json.loads(record.value)
        recent = not_older(past or [], payment["occurred_at_ms"])
        body = scoring.score(payment, (record.topic, record.partition, record.offset), recent)
        value = json.dumps(body, separators=(",", ":")).encode()
        return [*recent, payment], KafkaSinkMessage(record.key, value, headers=headers_of(body))

    flow = Dataflow("obvious")
    records = op.input("payments", flow, KafkaSource(brokers, [given["BENCH_SOURCE"]]))
    by_account = op.key_on("by_account", records, lambda record: record.key.decode())
    scores = op.stateful_map("score", by_account, score)
    op.output("scores", op.key_rm("without_key", scores), KafkaSink(brokers, given["BENCH_OUTPUT"], producer))
    return flow


def main(given: Mapping[str, str]) -> None:
    """Runs the flow, with its state in a folder of the benchmark."""
    folder = Path(given["BENCH_FOLDER"]) / "state"
    folder.mkdir()
    init_db_dir(folder, 1)
    cli_main(build_flow(given), recovery_config=RecoveryConfig(str(folder)))


if __name__ == "__main__":
    main(os.environ)
