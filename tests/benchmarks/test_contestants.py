"""The pipelines as they are declared, and what becomes of those that cannot run."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bench import rates_of, take_stock, versions_of
from benchmarks.contestants import COMPETITORS_OUTPUT, CONTESTANTS, NAMES, Contestant
from benchmarks.interpreters import VARIABLE, installed_version, interpreter_of, why_left_out
from benchmarks.plan import ROOT, Plan
from benchmarks.results import PipelineResult
from benchmarks.throughput import Throughput
from schemas.topics import SCORES

COMPETITORS = ROOT / "benchmarks" / "competitors"
ABSENT = Contestant(name="absent", module="benchmarks.competitors.absent", needs="no-such-package-anywhere[fast]>=2")


def speed(events_per_second: float) -> PipelineResult:
    return PipelineResult(runs=[Throughput(10, 1.0, events_per_second, 1.0, 1.0, 1.0)])


def test_every_program_among_the_competitors_is_declared() -> None:
    """A competitor that nobody runs is no comparison."""
    programs = {path.stem for path in COMPETITORS.glob("*.py") if '__name__ == "__main__"' in path.read_text()}
    programs |= {path.parent.name for path in COMPETITORS.glob("*/__main__.py")}
    declared = {entry.module.rpartition(".")[2] for entry in CONTESTANTS.values() if not entry.own}
    assert programs == declared


@pytest.mark.parametrize("name", NAMES)
def test_who_runs_the_core_writes_to_its_topic_and_the_others_to_theirs(name: str) -> None:
    """Scores are counted on the topic that is declared; on the wrong one a run waits without end."""
    entry = CONTESTANTS[name]
    runs_core = entry.own or "core" in entry.module
    assert entry.output == (SCORES if runs_core else COMPETITORS_OUTPUT)


def test_a_missing_package_leaves_a_competitor_out_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark goes on without it, and nobody takes it for measured."""
    monkeypatch.setitem(CONTESTANTS, ABSENT.name, ABSENT)
    present, left_out = take_stock(("riskstream", "absent"), {})
    assert present == ("riskstream",) and set(left_out) == {"absent"}
    assert left_out["absent"].startswith("no-such-package-anywhere is not installed; `make bench`")
    assert VARIABLE in left_out["absent"]


def test_another_interpreter_runs_only_who_needs_a_package_of_its_own() -> None:
    """Its packages may be of other versions than those that riskstream is measured with."""
    environment = {VARIABLE: "/some/python"}
    assert interpreter_of(CONTESTANTS["quix"], environment) == "/some/python"
    assert interpreter_of(CONTESTANTS["riskstream"], environment) == sys.executable
    assert interpreter_of(CONTESTANTS["quix"], {}) == sys.executable


def test_an_interpreter_that_is_not_there_has_no_package(tmp_path: Path) -> None:
    """A wrong path in the variable leaves out, it does not end the whole benchmark."""
    absent = str(tmp_path / "python")
    assert installed_version("numpy", absent) is None
    assert why_left_out(replace(ABSENT, needs="numpy"), {VARIABLE: absent})
    assert why_left_out(replace(ABSENT, needs="numpy"), {}) is None


def test_versions_of_optional_packages_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A figure without the version of what was measured says nothing a year later."""
    monkeypatch.setitem(CONTESTANTS, "absent", replace(ABSENT, needs="numpy"))
    assert versions_of(("riskstream", "absent"), {}) == {"numpy": installed_version("numpy", sys.executable)}


def test_latency_is_measured_at_rates_that_a_competitor_can_bear() -> None:
    """Beyond its throughput a latency only tells how long the run was; up to it, the rate is the same for all."""
    plan = Plan(latency_rates=(1_000, 10_000), bearable_share=0.5)
    fast, slow = CONTESTANTS["core_on_aiokafka"], CONTESTANTS["faust_per_event"]
    assert rates_of(fast, speed(30_000), plan) == (1_000, 10_000)
    assert rates_of(fast, speed(12_000), plan) == (1_000,)
    assert rates_of(slow, speed(660), plan) == (300,)
    assert rates_of(CONTESTANTS["riskstream"], speed(660), plan) == (1_000, 10_000)
