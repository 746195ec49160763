"""Another bundle under load, and a crash in the middle of it: every score is by the bundle recorded for its offset."""

import shutil
from bisect import bisect_right
from pathlib import Path

from scoring.catalog import scorers
from scoring.model.manifest import MANIFEST_FILE, digest_of
from tests.live.conftest import MakeWorker
from tests.support.command_line import riskstream
from tests.support.event_feed import PAYMENTS, SCORERS, Feeder, outputs_of, payments
from tests.support.independent_reader import Reader, Record, read_outcome
from tests.support.log_fold import fold_log, states_in
from tests.support.promises import TOLERANCE, check_alerts
from tests.support.small_bundles import BIAS, write_all, write_small_bundle

MOST_EVENTS = 40_000
PER_SECOND = 300.0
SCORER = scorers()["payment_anomaly"]
VIEW = f":{SCORER.view.name}@"
OTHER_BIAS = -5.0


def add_bundle(bundles: Path, made_in: Path, *, bias: float) -> str:
    """Puts another bundle of the scorer beside the one there is; gives its digest."""
    made = write_small_bundle(made_in, SCORER, bias=bias)
    digest = digest_of((made / MANIFEST_FILE).read_bytes())
    shutil.copytree(made, bundles / SCORER.name / digest)
    return digest


def test_scores_name_the_bundle_recorded_for_their_offset_through_a_crash(
    services, settings, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """Explaining or replaying a score needs the very bundle that made it, also around a change and a crash.

    A third bundle appears on disk before the restart: what is recorded counts, not what lies there.
    """
    bundles = write_all(tmp_path / "bundles")
    first = digest_of((bundles / SCORER.name / MANIFEST_FILE).read_bytes())
    second = add_bundle(bundles, tmp_path / "second", bias=OTHER_BIAS)
    messages = payments(MOST_EVENTS, seed=61)
    worker = make_worker(bundle_dirs=bundles, poll_records=50)
    named = {"kafka_bootstrap": services.kafka_bootstrap, "redis_url": services.redis_url}
    named |= {"namespace": settings.namespace, "bundle_dirs": str(bundles)}
    with Reader(services.kafka_bootstrap) as reader:
        # with two of them there, somebody has to choose before the first start
        told = riskstream("activate", SCORER.name, first, **named)
        assert told.returncode == 0, told.stderr
        worker.start()
        with Feeder(services.kafka_bootstrap).sending(messages, per_second=PER_SECOND) as sent:
            worker.wait_until(lambda: reader.terminals() > 1_000, "it scores")
            told = riskstream("activate", SCORER.name, second, **named)
            assert told.returncode == 0, told.stderr
            seen = reader.terminals()
            worker.wait_until(lambda: reader.terminals() > seen + 300, "it goes on")
            worker.kill()
            add_bundle(bundles, tmp_path / "third", bias=0.0)
            worker.start().wait_ready()
        expected = outputs_of(sent)
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        assert worker.wait_ready().terminate() == 0
        activations = reader.read("activations")
    outcome = read_outcome(services.kafka_bootstrap, [PAYMENTS])
    assert outcome.wrong_counts(SCORERS) == {}
    check_alerts(outcome)
    recorded = recorded_bundles(activations, settings.namespace)
    assert {bundle for starts in recorded.values() for _, bundle in starts} == {first, second}
    folds = {
        first: fold_log(SCORER.view, outcome.inputs, settings.namespace, bias=BIAS),
        second: fold_log(SCORER.view, outcome.inputs, settings.namespace, bias=OTHER_BIAS),
    }
    states = states_in(services.redis_url, settings.namespace)
    assert {key: state for key, state in states.items() if VIEW in key} == folds[first].states
    for place, score in outcome.scores_of(SCORER.name).items():
        starts = recorded[place[1]]
        in_force = starts[bisect_right(starts, place[2], key=lambda start: start[0]) - 1][1]
        assert score["bundle"] == in_force
        assert abs(score["value"] - folds[in_force].values[place]) <= TOLERANCE


def recorded_bundles(activations: list[Record], namespace: str) -> dict[int, list[tuple[int, str]]]:
    """Per partition, from which offset which bundle of the scorer is in force, ascending."""
    begins = f"{namespace}|activation|{SCORER.name}|".encode()
    newest = {record.key: record.body for record in activations if (record.key or b"").startswith(begins)}
    found: dict[int, list[tuple[int, str]]] = {}
    for body in newest.values():
        found.setdefault(body["partition"], []).append((body["from_offset"], body["bundle"]))
    return {partition: sorted(starts) for partition, starts in found.items()}
