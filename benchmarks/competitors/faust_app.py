"""A stock Faust app with the benchmark's settings, for the competitors that are Faust agents."""

import os
from collections.abc import Mapping
from typing import Any

import faust

from benchmarks.competitors.obvious_scoring import LINGER_MS


def make_app(given: Mapping[str, str]) -> tuple[Any, Any, Any]:
    """App, input topic and output topic.

    Args:
        given: the benchmark's variables: Kafka, source and output topic, compression, folder for Faust's files.
    """
    compression = given["BENCH_COMPRESSION"]
    app = faust.App(
        f"obvious-{os.getpid()}",
        broker=f"kafka://{given['BENCH_KAFKA']}",
        store="memory://",
        datadir=given["BENCH_FOLDER"],
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        producer_linger=LINGER_MS / 1000,
        producer_compression_type=None if compression == "none" else compression,
    )
    source = app.topic(given["BENCH_SOURCE"], value_serializer="json", key_type=bytes, key_serializer="raw")
    output = app.topic(given["BENCH_OUTPUT"], value_serializer="json", key_type=bytes, key_serializer="raw")
    return app, source, output


def run_app(app: Any) -> None:
    """Runs it until a signal comes."""
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False, quiet=True).execute_from_commandline()
