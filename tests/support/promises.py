"""What must hold of a log and its outputs after any history of crashes, hand-overs and outages."""

from scoring.catalog import scorers
from scoring.policy import AlertState, decide
from tests.support.event_feed import SCORERS
from tests.support.independent_reader import Outcome
from tests.support.log_fold import fold_internal, fold_log, states_in

TOLERANCE = 2e-6
"""Scores have six decimals; the last one may differ between ONNX Runtime's float32 and numpy's float64."""


def check_against_log(outcome: Outcome, namespace: str, redis_url: str) -> None:
    """Asserts that nothing is missing, nothing is there twice, and all is as if one worker had run through.

    For inputs that are all events without duplicates: one score per scorer; features and value of a fold of the log in
    one go; alerts as decided in order of the log; and the states in Redis byte for byte those of that fold.
    """
    assert outcome.letters == []
    assert outcome.wrong_counts(SCORERS) == {}
    states: dict[str, bytes] = {}
    for scorer in scorers().values():
        fold = fold_log(scorer.needed_views[0], outcome.inputs, namespace)
        if scorer.view.carries:
            fold = fold_internal(scorer.view, outcome.passed_on, fold, namespace)
        states |= fold.states
        scores = outcome.scores_of(scorer.name)
        assert {place: score["features"] for place, score in scores.items()} == fold.features
        off = {place: score["value"] - fold.values[place] for place, score in scores.items()}
        assert {place: by for place, by in off.items() if abs(by) > TOLERANCE} == {}
    found = states_in(redis_url, namespace)
    assert found.keys() == states.keys()
    assert [key for key, state in states.items() if found[key] != state] == []
    check_alerts(outcome)


def check_alerts(outcome: Outcome) -> None:
    """Asserts that alerts are the alert-level scores of live scorers that no cool-down holds back, each once.

    What holds back is decided again here, score after score in order of the log.
    """
    cooling: dict[tuple[str, int, str], AlertState] = {}
    raised = {}
    for score in sorted(outcome.scores, key=lambda score: score.source):
        body = score.body
        policy = scorers()[body["scorer"]].policy
        assert (body["level"] == "alert") == (body["value"] >= policy.alert)
        if body["level"] != "alert" or body.get("shadow"):
            assert "suppressed_by" not in body
            continue
        key = body["scorer"], score.partition, body["entity"]
        alert_id = f"alert:{body['score_id']}"
        held_by, cooling[key] = decide(
            policy, cooling.get(key, ()), alert_id=alert_id, reason=body["reasons"][0],
            occurred_at_ms=body["occurred_at_ms"], late="late" in body.get("flags", ()),
        )  # fmt: skip
        assert body.get("suppressed_by") == held_by
        if held_by is None:
            raised[alert_id] = body["score_id"], body["reasons"]
    assert len(outcome.alerts) == len(raised)
    assert {
        alert.body["alert_id"]: (alert.body["score_id"], alert.body["reasons"]) for alert in outcome.alerts
    } == raised
