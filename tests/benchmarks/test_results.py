"""From measurements to figures: slopes, percentiles, and the file that is published."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.comparison import Compared
from benchmarks.contestants import NAMES
from benchmarks.latency import Latency, Rate, Sent, summarise
from benchmarks.plan import Plan
from benchmarks.results import PipelineResult, Results
from benchmarks.tables import comparison_lines
from benchmarks.throughput import Sample, Throughput, median
from benchmarks.throughput import summarise as summarise_throughput
from stream.settings import load


def samples(*, seconds: int, per_second: int) -> list[Sample]:
    return [Sample(100.0 + at, 50 + at * per_second, at * 0.5, 10_000_000) for at in range(seconds + 1)]


def test_throughput_counts_what_was_scored_between_the_first_and_the_last_sample() -> None:
    """What was scored before anybody looked, and the start of the process, are no part of the speed."""
    found = summarise_throughput(samples(seconds=10, per_second=1_000))
    assert (found.events, found.seconds) == (10_000, 10.0)
    assert (found.events_per_second, found.events_per_cpu_second) == (1_000.0, 2_000.0)
    assert found.slowest_events_per_second == 1_000.0


def test_a_pause_shows_in_the_slowest_seconds() -> None:
    """A mean hides a stall."""
    steady = samples(seconds=30, per_second=1_000)
    stalled = [
        one if one.at_s < 110 else Sample(one.at_s + 5, one.events, one.cpu_seconds, 0) for one in steady
    ]
    assert summarise_throughput(stalled).slowest_events_per_second < 300


def test_one_sample_is_no_measurement() -> None:
    """A division by nothing must not be published as a speed."""
    with pytest.raises(ValueError, match="measure for longer"):
        summarise_throughput(samples(seconds=0, per_second=1_000))


def test_the_median_run_is_reported_with_the_worst_stall_and_the_most_memory() -> None:
    """One lucky run is not the speed, and one small footprint not the memory."""
    runs = [Throughput(10, 1.0, speed, 2 * speed, speed / 2, speed) for speed in (3.0, 1.0, 2.0)]
    found = median(runs)
    assert (found.events_per_second, found.slowest_events_per_second, found.resident_mb) == (2.0, 0.5, 3.0)


def test_latency_leaves_out_the_settling_time_and_counts_what_is_missing() -> None:
    """An event that never arrived has no latency, and must not vanish from the report."""
    due = np.arange(100, dtype=np.int64) * 100_000_000  # ten a second for ten seconds
    arrived = np.arange(99)
    took_ms = np.where(arrived < 20, 5_000, 10)
    found = summarise(
        Sent(due, due),
        arrived,
        due[arrived] + took_ms * 1_000_000,
        Rate(events_per_second=10, seconds=10),
        2.0,
    )
    assert (found.events, found.missing) == (79, 1)
    assert (found.p50_ms, found.p99_ms, found.maximum_ms) == (10.0, 10.0, 10.0)
    assert found.sent_rate == pytest.approx(10.0)


def test_the_written_file_has_what_readers_of_it_look_for(tmp_path: Path) -> None:
    """Other programs read it; a name that changes breaks them in silence."""
    speed = Throughput(10, 1.0, 500.0, 600.0, 400.0, 300.0)
    latency = Latency(1_000, 999.9, 10, 0, 5.0, 6.0, 7.0, 8.0, 0.5)
    faster = Throughput(10, 1.0, 50_000.0, 60_000.0, 40_000.0, 300.0)
    results = Results(
        plan=Plan(), settings=load({}), machine={"cores": 2}, versions={"python": "3"}, bundles="shipped", features=46,
        pipelines={
            name: PipelineResult(runs=[speed if name == "faust_per_event" else faster], latencies=[latency])
            for name in NAMES
        },
    )  # fmt: skip
    file = tmp_path / "results" / "latest.json"
    results.write(file)
    told = json.loads(file.read_text())
    assert {"riskstream", "riskstream_with_shadow", "faust_per_event"} < set(told["pipelines"])
    for pipeline in told["pipelines"].values():
        assert {"events_per_second", "events_per_cpu_second", "p50_ms", "p99_ms", "scorers"} <= set(pipeline)
    assert told["ratio_riskstream_to_faust_per_event"] == 100.0
    assert {"machine", "versions", "settings"} <= set(told)
    assert {"seed", "compression", "features", "record_bytes_in", "bundles", "poll_records"} <= set(
        told["settings"]
    )


def test_a_part_that_was_not_measured_is_null(tmp_path: Path) -> None:
    """NaN is no JSON, and a zero would be a lie."""
    results = Results(
        plan=Plan(), settings=load({}), machine={}, versions={}, bundles="shipped", features=46,
        pipelines={"riskstream": PipelineResult()},
    )  # fmt: skip
    results.write(tmp_path / "latest.json")
    told = json.loads((tmp_path / "latest.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert told["pipelines"]["riskstream"]["p99_ms"] is None
    assert told["ratio_riskstream_to_faust_per_event"] is None and told["replay"] is None


def test_who_was_left_out_or_differs_is_said(tmp_path: Path) -> None:
    """A table without a competitor looks as if there were none, and a share alone does not say who is right."""
    results = Results(
        plan=Plan(), settings=load({}), machine={}, versions={}, bundles="shipped", features=46,
        pipelines={
            "quix": PipelineResult(compared=Compared(10, 8, 2, (("count_1d", 2),))),
            "faust_take": PipelineResult(compared=Compared(10, 10)),
            "faust_two_features": PipelineResult(),
        },
        left_out={"bytewax": "bytewax is not installed; pip install bytewax[kafka]"},
    )  # fmt: skip
    differing, unlike, left_out = comparison_lines(results)
    assert differing.startswith("quix: 2 of 10 scores compared are not riskstream's, 2 of them flagged `approx`")
    assert "count_1d 2" in differing and unlike.startswith("faust_two_features: scores not compared")
    assert left_out == "bytewax left out: bytewax is not installed; pip install bytewax[kafka]"
    results.write(tmp_path / "latest.json")
    told = json.loads((tmp_path / "latest.json").read_text())
    assert told["left_out"] == results.left_out
    quix = told["pipelines"]["quix"]
    assert (quix["same_as_riskstream"], quix["compared_scores"], quix["differing_flagged_approx"]) == (0.8, 10, 2)
    assert told["pipelines"]["faust_two_features"]["same_as_riskstream"] is None
