"""Quix Streams: a stateful `apply` over its own RocksDB state, with its changelog topic, its consumer and its producer.

Per event: JSON by Quix, the account's payments of 30 days from its state and back into it, the features by numpy, the
very model that riskstream runs, and `to_topic` with 5 ms of linger. It is spared what `faust_per_event` is spared, and
counts an event twice after a crash. Everything that the benchmark does not name is as Quix ships it.
Run by the benchmark, by an interpreter that has `quixstreams`; the benchmark gives `BENCH_` variables.
"""

import os
from collections.abc import Mapping
from typing import Any

from quixstreams import Application, message_context

from benchmarks.competitors.obvious_scoring import LINGER_MS, ObviousScoring, headers_of, not_older


def build_app(given: Mapping[str, str]) -> Any:
    """The application with its one dataframe.

    Args:
        given: Kafka, bundle folder, policy digest, source and output topic, compression, folder for the state.
    """
    scoring = ObviousScoring(given)
    app = Application(
        broker_address=given["BENCH_KAFKA"],
        consumer_group=f"obvious-{os.getpid()}",
        auto_offset_reset="earliest",
        state_dir=f"{given['BENCH_FOLDER']}/state",
        loglevel="WARNING",
        producer_extra_config={"linger.ms": LINGER_MS, "compression.type": given["BENCH_COMPRESSION"]},
    )

    def score(payment: dict[str, Any], state: Any) -> dict[str, Any]:
        at = message_context()
        past = not_older(state.get("payments", []), payment["occurred_at_ms"])
        state.set("payments", [*past, payment])
        return scoring.score(payment, (at.topic, at.partition, at.offset), past)

    source = app.topic(given["BENCH_SOURCE"], value_deserializer="json", key_deserializer="bytes")
    output = app.topic(given["BENCH_OUTPUT"], value_serializer="json", key_serializer="bytes")
    scores = app.dataframe(source).apply(score, stateful=True)
    scores.set_headers(lambda value, key, timestamp, headers: headers_of(value)).to_topic(output)
    return app


if __name__ == "__main__":
    build_app(os.environ).run()
