"""Questions as of a time, live: one score each from every scorer, through a kill, and no event is the wiser."""

import base64
import json

import numpy as np

from scoring.catalog import scorers
from tests.live.conftest import MakeWorker
from tests.support.command_line import riskstream
from tests.support.event_feed import KEYS, PAYMENTS, SCORERS, TICKS, Feeder, mixed, outputs_of, with_questions
from tests.support.independent_reader import Reader, read_outcome
from tests.support.log_fold import fold_log

EVENTS, DAY_MS = 2_000, 86_400_000


def test_questions_are_answered_once_and_change_no_score(
    services, settings, make_worker: MakeWorker, bundles
) -> None:
    """Also by the scorer over two entities, for which a question has no second one; and the log proves it all."""
    messages = with_questions(mixed(EVENTS, seed=21), every=7)
    Feeder(services.kafka_bootstrap).send(messages)
    worker, expected = make_worker(poll_records=100), outputs_of(messages)
    with Reader(services.kafka_bootstrap) as reader:
        worker.start()
        worker.wait_until(lambda: reader.terminals() >= 700, "it scores")
        worker.kill()
        worker.start()
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        assert worker.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (PAYMENTS, TICKS))
    assert outcome.wrong_counts(SCORERS) == {}
    assert not outcome.letters
    questions = {record.place: record.body for record in outcome.inputs if "as_of" in record.body}
    assert len(questions) == len(messages) - EVENTS
    events = [record for record in outcome.inputs if record.place not in questions]
    for scorer in (scorers()[name] for topic in (PAYMENTS, TICKS) for name in SCORERS[topic]):
        scores = outcome.scores_of(scorer.name)
        asked = {place: scores[place] for place in questions if place in scores}
        for place, score in asked.items():
            assert score["event_id"] == questions[place]["event_id"]
        if scorer.view.carries:
            assert {score["entity"] for score in asked.values()} == {""}
            continue
        assert all(score["entity"] == questions[place]["entity"] for place, score in asked.items())
        folded = fold_log(scorer.view, events, settings.namespace).features
        assert {place: score["features"] for place, score in scores.items() if place not in questions} == folded
        check_counts(scorer.view, asked, events)
    done = riskstream(
        "verify", "--json", kafka_bootstrap=services.kafka_bootstrap, redis_url=services.redis_url,
        namespace=settings.namespace, bundle_dirs=str(bundles),
    )  # fmt: skip
    assert (done.returncode, json.loads(done.stdout)["broken"]) == (0, []), done.stdout


def check_counts(view, asked: dict, events: list) -> None:
    """The day's count in an answer, against the log counted in plain Python."""
    place_of_count = view.feature_names.index("count_1d")
    assert asked
    for (topic, partition, offset), score in asked.items():
        known = [
            record.body["occurred_at_ms"]
            for record in events
            if (record.topic, record.partition) == (topic, partition)
            and record.offset < offset
            and record.body[KEYS[topic]] == score["entity"]
        ]
        now = score["occurred_at_ms"]
        vector = np.frombuffer(base64.b64decode(score["features"]), "<f4")
        assert vector[place_of_count] == sum(now - DAY_MS < time <= now for time in known)
