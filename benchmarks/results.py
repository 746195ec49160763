"""The results of a benchmark run: one value, written as JSON, with everything needed to judge the figures."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.broker import RecordShape
from benchmarks.comparison import Compared
from benchmarks.contestants import CONTESTANTS
from benchmarks.latency import PRODUCER_LINGER_MS, Latency
from benchmarks.limits.meter import Done
from benchmarks.limits.run import limit_dict
from benchmarks.offline import Rate
from benchmarks.plan import Plan
from benchmarks.state_size import StateSizes
from benchmarks.throughput import Throughput, median
from stream.settings import Settings

LATEST = Path(__file__).parent / "results" / "latest.json"


@dataclass
class PipelineResult:
    """What was measured of one pipeline; grows while the benchmark runs.

    Attributes:
        runs: throughput, one entry for each repetition; latencies: one for each rate, ascending.
        record: its score records; alerts, dead_letters: how many it wrote in the last run of throughput.
        compared: its scores beside those of riskstream's core.
    """

    runs: list[Throughput] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    record: RecordShape | None = None
    compared: Compared | None = None
    alerts: int = 0
    dead_letters: int = 0


@dataclass
class Results:
    """All of a benchmark run; parts that were not measured are None.

    Attributes:
        left_out: why a pipeline was not run, by name.
        limits: runs of each part of the work alone.
    """

    plan: Plan
    settings: Settings
    machine: Mapping[str, object]
    versions: Mapping[str, str]
    bundles: str
    features: int
    record_bytes_in: float = 0.0
    pipelines: dict[str, PipelineResult] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, Sequence[Done]] = field(default_factory=dict)
    replay: Rate | None = None
    feed: Rate | None = None
    state: StateSizes | None = None

    @property
    def ratio(self) -> float | None:
        """How many times faster than the obvious agent riskstream is in wall time; None unless both were measured."""
        ours, obvious = self.pipelines.get("riskstream"), self.pipelines.get("faust_per_event")
        if not (ours and ours.runs and obvious and obvious.runs):
            return None
        return median(ours.runs).events_per_second / median(obvious.runs).events_per_second

    def as_dict(self) -> dict[str, Any]:
        """The results for programs; units are in the names, counts of bytes are before compression."""
        return {
            "pipelines": {name: pipeline_dict(name, result) for name, result in self.pipelines.items()},
            "left_out": dict(self.left_out),
            "limits": {name: limit_dict(name, runs) for name, runs in self.limits.items()},
            "ratio_riskstream_to_faust_per_event": _rounded(self.ratio),
            "replay": _plain(self.replay),
            "feed": _plain(self.feed),
            "state_of_account_view": _plain(self.state),
            "machine": dict(self.machine),
            "versions": dict(self.versions),
            "settings": {
                **_plain(self.plan),
                "bundles": self.bundles,
                "features": self.features,
                "record_bytes_in": round(self.record_bytes_in, 1),
                "compression": self.settings.compression,
                "poll_records": self.settings.poll_records,
                "cache_entities": self.settings.cache_entities,
                "latency_producer_linger_ms": PRODUCER_LINGER_MS,
            },
        }

    def write(self, path: Path) -> None:
        """Writes the results as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=2) + "\n")


def pipeline_dict(name: str, result: PipelineResult) -> dict[str, Any]:
    """One pipeline for programs; `p50_ms` and `p99_ms` are those of the highest rate, `latency_rate`."""
    highest = result.latencies[-1] if result.latencies else None
    speed = _plain(median(result.runs)) if result.runs else {}
    contestant, record, compared = CONTESTANTS[name], result.record, result.compared
    return {
        "scorers": list(contestant.scorers),
        "processes": contestant.processes,
        **speed,
        "p50_ms": _rounded(highest.p50_ms) if highest else None,
        "p99_ms": _rounded(highest.p99_ms) if highest else None,
        "latency_rate": highest.rate if highest else None,
        "latency": {str(each.rate): each.as_dict() for each in result.latencies},
        "record_bytes_out": round(record.value_bytes, 1) if record else None,
        "record_key_and_header_bytes_out": round(record.key_and_header_bytes, 1) if record else None,
        "watch_share": _rounded(record.watch_share, 4) if record else None,
        "same_as_riskstream": _rounded(compared.share, 4) if compared else None,
        "compared_scores": compared.scores if compared else 0,
        "differing_flagged_approx": compared.approximate if compared else 0,
        "not_compared_because": contestant.unlike or None,
        "differing_features": dict(compared.differing) if compared else {},
        "alerts": result.alerts,
        "dead_letters": result.dead_letters,
        "runs": [_plain(run) for run in result.runs],
    }


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries, floats with one decimal, tuples as lists."""
    return _shortened(asdict(value)) if value is not None else None


def _shortened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _shortened(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shortened(each) for each in value]
    return _rounded(value, 1) if isinstance(value, float) else value


def _rounded(value: float | None, digits: int = 2) -> float | None:
    """Rounded; None for what is not a number, which JSON has no word for."""
    return None if value is None or value != value else round(value, digits)
