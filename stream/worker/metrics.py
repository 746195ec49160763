"""Every metric of the worker: one list, each with what it means and what to do about it."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

STAGES = {
    "read": "records and events from the broker's bytes, in the consumer's thread",
    "decode": "checks, and what is not usual",
    "state": "states from Redis",
    "features": "the fold",
    "model": "what of the model's time is waited for",
    "encode": "scores and alerts as bytes",
    "send": "handing them over",
    "produce": "from then until they are acknowledged",
    "commit": "states to Redis",
    "wait": "for the poll before",
}
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)


class Metrics:
    """The worker's metrics in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry}
        self.events = Counter(
            "riskstream_events", "Input records taken in, refused ones included.", ["topic"], **made
        )
        self.scores = Counter("riskstream_scores", "Scores written.", **made)
        self.alerts = Counter(
            "riskstream_alerts", "Alerts written. Far more than usual: look at the reasons.", **made
        )
        self.dead_letters = Counter(
            "riskstream_dead_letters",
            "Dead letters written. Growing: riskstream subscribe dead-letters.",
            **made,
        )
        self.unknown_fields = Gauge(
            "riskstream_unknown_fields", "Unknown fields met. A sender has changed: compare with the schema.", ["topic"],
            **made,
        )  # fmt: skip
        self.stage_seconds = Histogram(
            "riskstream_stage_seconds",
            f"Seconds per poll and stage. The largest is the bottleneck. {'; '.join(map(': '.join, STAGES.items()))}.",
            ["stage"], buckets=_SECONDS, **made,
        )  # fmt: skip
        self.poll_records = Histogram(
            "riskstream_poll_records", "Records per poll. At the limit for long: the worker is behind; add workers.",
            buckets=(1, 10, 100, 500, 1000, 2000, 4000, 8000), **made,
        )  # fmt: skip
        self.delay_seconds = Histogram(
            "riskstream_delay_seconds", "From the broker's stamp on the newest input to its durable score.",
            buckets=_SECONDS, **made,
        )  # fmt: skip
        self.ready = Gauge(
            "riskstream_ready", "1 when all partitions are held and scored. 0: GET /ready says why.", **made
        )
        self.lag = Gauge(
            "riskstream_lag", "Records behind the end of the partition. Growing: add workers.", ["topic", "partition"],
            **made,
        )  # fmt: skip
        self.recoveries = Counter(
            "riskstream_recoveries",
            "Leases dropped and acquired again. Frequent: look at Kafka and Redis.",
            **made,
        )
        self.cached = Gauge(
            "riskstream_cached_entities", "States kept in memory, of at most cache_entities.", **made
        )

    def text(self) -> bytes:
        """The metrics in Prometheus' text form."""
        return generate_latest(self.registry)
