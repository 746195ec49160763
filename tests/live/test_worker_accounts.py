"""Every input ends as exactly one record per scorer, on both topics, and alerts are what the scores say."""

import json
from pathlib import Path

import jsonschema
import pytest

from scoring.catalog import scorers, views
from stream.services.embedded import EmbeddedServices
from stream.worker.metrics import STAGES
from tests.live.conftest import MakeWorker
from tests.support.event_feed import PAYMENTS, SCORERS, TICKS, Feeder, mixed
from tests.support.independent_reader import Outcome, Reader, Record, read_outcome
from tests.support.log_fold import fold_internal, fold_log, place_of
from tests.support.promises import check_alerts

EVENTS = 3_000
INTERNAL = "transactions-by-merchant"
SECOND_PASS = {"payment_fraud", "payment_merchant"}
CONTRACTS = Path(__file__).parents[2] / "schemas" / "contracts"
KINDS = {"risk-scores": "score", "alerts": "alert", "dead-letters": "dead_letter"}


@pytest.fixture
def outcome(services: EmbeddedServices, settings, make_worker: MakeWorker) -> Outcome:
    """What one worker made of payments and ticks, some of them sent twice."""
    messages = mixed(EVENTS, seed=1)
    repeated = messages[-200::20]
    feeder = Feeder(services.kafka_bootstrap)
    feeder.send([*messages, *repeated])
    expected = sum(len(SCORERS[topic]) for topic, _ in messages) + len(repeated)
    with make_worker().start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        timed = STAGES.keys() - {"wait"}  # for nobody, when one poll took everything
        counts = [f'riskstream_stage_seconds_count{{stage="{stage}"}}' for stage in timed]
        worker.wait_until(
            lambda: min(worker.metrics().get(count, 0) for count in counts) > 0, "all stages are timed"
        )
        assert worker.wait_ready().terminate() == 0
    return read_outcome(services.kafka_bootstrap, (PAYMENTS, TICKS))


def test_every_input_has_one_score_per_scorer_or_one_dead_letter(outcome: Outcome, settings) -> None:
    """The promise everything else rests on; and what an output says of its input is so.

    One test for one run of the worker: starting it is most of the time.
    """
    assert len(outcome.inputs) == EVENTS + 10
    assert outcome.wrong_counts(SCORERS) == {}
    assert {letter.body["reason"] for letter in outcome.letters} == {"DUPLICATE"}
    assert len(outcome.letters) == 10
    check_envelopes(outcome, settings.namespace)
    check_contracts(outcome)
    check_one_snapshot(outcome, settings.namespace)
    check_alerts(outcome)
    check_shadow_and_cool_down(outcome)


def check_envelopes(outcome: Outcome, namespace: str) -> None:
    """An output lies in the partition that its entity lies in, under the entity's key, with four CloudEvents headers."""
    inputs = {record.place: record for record in outcome.inputs}
    second_place = {place_of(record): record.partition for record in outcome.passed_on}
    for output in (*outcome.scores, *outcome.alerts, *outcome.letters):
        kind = KINDS[output.topic]
        source = inputs[output.source]
        second = output.body.get("scorer") in SECOND_PASS
        assert output.partition == (second_place[source.place] if second else source.partition)
        assert output.key == (source.body["merchant_id"].encode() if second else source.key)
        assert dict(output.headers) == {
            "ce_specversion": b"1.0",
            "ce_id": output.body[f"{kind}_id"].encode(),
            "ce_source": f"/{namespace}/{source.topic}/{source.partition}".encode(),
            "ce_type": f"riskstream.{kind.replace('_', '-')}.v1".encode(),
        }
        assert len(output.headers) == 4
        if kind != "dead_letter":
            assert output.body["entity"].encode() == output.key
            assert output.body["event_id"] == source.body["event_id"]
            assert output.body["occurred_at_ms"] == source.body["occurred_at_ms"]


def check_contracts(outcome: Outcome) -> None:
    """The bytes fit the published JSON Schemas; numbers that JSON cannot say do not appear."""
    sample: list[Record] = [*outcome.alerts, *outcome.letters, *outcome.scores[::10]]
    for output in sample:
        schema = json.loads((CONTRACTS / f"{KINDS[output.topic]}.schema.json").read_text())
        jsonschema.validate(output.body, schema)
        json.loads(output.value or b"", parse_constant=refuse_constant)


def refuse_constant(name: str) -> None:
    """Python's parser takes NaN and Infinity; no other parser need."""
    raise AssertionError(f"expected a JSON number, was {name}")


def check_one_snapshot(outcome: Outcome, namespace: str) -> None:
    """Champion and challenger saw the same vector, and it is the fold of the log: that makes them comparable."""
    for scorer in (each for each in scorers().values() if each.event.topic in SCORERS):
        scores = outcome.scores_of(scorer.name)
        letters = {letter.source for letter in outcome.letters}
        log = [record for record in outcome.inputs if record.place not in letters]
        fold = fold_log(scorer.needed_views[0], log, namespace)
        if scorer.view.carries:
            fold = fold_internal(scorer.view, outcome.passed_on, fold, namespace)
        assert {place: score["features"] for place, score in scores.items()} == fold.features
        for place, score in scores.items():
            assert score["value"] == pytest.approx(fold.values[place], abs=2e-6)
            assert score.get("shadow", False) == scorer.shadow
    assert {view.event.topic for view in views().values()} >= {PAYMENTS, TICKS, INTERNAL}


def check_shadow_and_cool_down(outcome: Outcome) -> None:
    """The run has what it is to show: alerts of both live scorers, none of the challenger, some held back."""
    assert {alert.body["scorer"] for alert in outcome.alerts} == {"payment_anomaly", "tick_anomaly"}
    assert all(alert.body["explanation"] for alert in outcome.alerts)
    assert any(score.body["level"] == "alert" for score in outcome.scores if score.body.get("shadow"))
    alerts = {alert.body["alert_id"]: alert.body for alert in outcome.alerts}
    held = [score.body for score in outcome.scores if "suppressed_by" in score.body]
    assert held
    for score in held:
        alert = alerts[score["suppressed_by"]]
        cooldown_ms = scorers()[score["scorer"]].policy.cooldown_ms
        assert (alert["entity"], alert["scorer"]) == (score["entity"], score["scorer"])
        assert alert["reasons"][0] == score["reasons"][0]
        assert abs(score["occurred_at_ms"] - alert["occurred_at_ms"]) < cooldown_ms
