"""Parts that are measured one by one and end in one file."""

import json
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.full import ground as full_ground
from benchmarks.full import run as full_run
from benchmarks.full.ground import run_dict
from benchmarks.full.load import rates_of
from benchmarks.full.medians import medians
from benchmarks.full.plan import SHORT, FullPlan
from benchmarks.full.polls import QUANTILES, milliseconds
from benchmarks.full.run import PARTS, Part, put_in, run
from benchmarks.full.skew import kinds_of
from benchmarks.full.tables import TABLES
from benchmarks.plan import BenchmarkFailed
from benchmarks.throughput import Sample


@pytest.fixture
def without_services(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Parts that measure nothing, on a ground that is none."""

    @contextmanager
    def ground(plan: FullPlan, say: Any, *, append_only: bool) -> Any:
        yield SimpleNamespace(plan=plan, append_only=append_only), {"python": "3"}

    def fails(_: Any) -> dict[str, Any]:
        raise BenchmarkFailed("the worker ended")

    parts = {
        "first": Part("", lambda ground: {"disk": ground.append_only}),
        "second": Part("", lambda ground: {"disk": ground.append_only}, append_only=False),
        "broken": Part("", fails),
    }
    monkeypatch.setattr(full_run, "ground", ground)
    monkeypatch.setattr(full_run, "PARTS", parts)
    return parts


def test_a_part_takes_the_place_of_an_earlier_one_and_leaves_the_others() -> None:
    """A run may be cut into parts of a few minutes, and one of them done again."""
    held = put_in({"load": "old", "limits": "old", "no longer": "there"}, "load", "new")
    assert held == {"limits": "old", "load": "new"}
    assert list(held) == ["limits", "load"]


def test_results_are_in_the_file_before_the_next_part_begins(without_services: Any, tmp_path: Path) -> None:
    """What took minutes is not lost when a later part fails."""
    file = tmp_path / "full.json"
    with pytest.raises(BenchmarkFailed):
        run(SHORT, ["first", "second", "broken"], file, lambda _: None)
    held = json.loads(file.read_text())
    assert list(held) == ["first", "second"]
    assert held["first"]["results"] == {"disk": True} and held["second"]["results"] == {"disk": False}
    assert held["first"]["plan"]["seconds"] == SHORT.seconds and held["first"]["versions"] == {"python": "3"}


def test_services_are_stopped_when_a_part_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A broker that is left behind takes the memory and the time of whatever is measured next."""
    noted: list[str] = []

    class Services:
        kafka_bootstrap, redis_url = "127.0.0.1:9", "redis://127.0.0.1:9/0"
        kafka = SimpleNamespace(pid=1, folder=tmp_path)
        redis = SimpleNamespace(pid=2)

        def __init__(self, folder: Path, *, redis_append_only: bool) -> None:
            noted.append(f"append only {redis_append_only}")

        def __enter__(self) -> "Services":
            return self

        def __exit__(self, *_: object) -> None:
            noted.append("stopped")

    @contextmanager
    def broker(*_: object) -> Any:
        yield SimpleNamespace(reset=lambda: None)

    monkeypatch.setattr(full_ground, "EmbeddedServices", Services)
    monkeypatch.setattr(full_ground, "Broker", broker)
    monkeypatch.setattr(full_ground, "all_versions", lambda _: {})
    with pytest.raises(BenchmarkFailed), full_ground.ground(SHORT, lambda _: None, append_only=False):
        raise BenchmarkFailed("the worker ended")
    assert noted == ["append only False", "stopped"]


def test_the_first_rate_warms_up_and_no_rate_sends_payments_of_another() -> None:
    """A payment that was sent before is a duplicate, and has no score."""
    rates = list(rates_of(SHORT))
    assert [rate.events_per_second for rate in rates[1:]] == list(SHORT.rates)
    assert rates[0].first_block == 0 and all(rate.first_block > 0 for rate in rates[1:])
    for earlier, later in pairwise(rates):
        assert later.first_block == earlier.first_block + earlier.blocks


def test_every_part_has_a_table() -> None:
    """Figures that nobody sees are not worth the minutes."""
    assert set(PARTS) == set(TABLES)


def test_a_run_tells_what_each_event_cost_everybody() -> None:
    """Kafka and Redis are paid for as well."""
    samples = [Sample(10.0, 100, 1.0, 5_000_000, (2.0, 3.0)), Sample(12.0, 2_100, 1.5, 7_000_000, (2.1, 3.2))]
    found = run_dict(samples)
    assert (found["events"], found["events_per_second"]) == (2_000, 1_000.0)
    assert (found["worker_cpu_us"], found["kafka_cpu_us"], found["redis_cpu_us"]) == (250.0, 50.0, 100.0)
    assert found["resident_mb"] == 7.0


def test_bytes_of_a_topic_are_those_of_its_partitions_and_not_of_deleted_ones(tmp_path: Path) -> None:
    """A broker keeps the files of a deleted topic of the same name for a minute, under longer names."""
    for folder, size in (("payments-0", 10), ("payments-1", 5), ("payments-0.4f-delete", 99), ("payments-extra-0", 99)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "00000000.log").write_bytes(bytes(size))
        (tmp_path / folder / "00000000.index").write_bytes(bytes(1_000))
    none: Any = None
    made = full_ground.Ground(SHORT, none, none, (1, 2), tmp_path, lambda _: None)
    assert made.topic_bytes("payments") == 15


def test_the_median_is_taken_of_each_figure_and_all_runs_are_kept() -> None:
    """One lucky run is not the speed, and who doubts can look."""
    runs = [{"a": 1.0, "b": 9.0}, {"a": 2.0, "b": 7.0}, {"a": 5.0, "b": 8.0}]
    assert medians(runs) == {"a": 2.0, "b": 8.0, "runs": runs}


def test_times_of_polls_are_told_by_quantiles() -> None:
    """A simulation draws from them; a mean would have no slow polls."""
    found = milliseconds([0.001 * value for value in range(1, 102)])
    assert len(found) == len(QUANTILES) == 21
    assert (found[0], found[10], found[20]) == (1.0, 51.0, 101.0)


def test_one_account_gets_the_share_that_the_plan_says_and_the_rest_is_even() -> None:
    """The name of the curve must be true."""
    kinds = kinds_of(replace(SHORT, history_accounts=200))
    hot = kinds["one_gets_half"].block(0)["account_id"].value_counts(sort=True)["count"]
    assert 0.49 < hot[0] / hot.sum() < 0.51 and hot[1] < 2 * hot[-1]
    even = kinds["uniform"].block(0)["account_id"].value_counts(sort=True)["count"]
    assert len(even) == 200 and even[0] < 1.5 * even[-1]


def test_the_backlog_lasts_for_warm_up_and_measurement() -> None:
    """A worker that runs out of events would seem slow."""
    plan = FullPlan(seconds=2.0, warm_up_s=1.0, backlog_per_second=1_000)
    assert plan.backlog == 3_000
