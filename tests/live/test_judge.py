"""Events and labels of one file through Kafka: what `judge` says is what an independent reader works out."""

import json
import random
from pathlib import Path

import polars as pl
import pytest
from confluent_kafka import Producer

from scoring.catalog import scorers
from stream.demo.figures import area_under_curve, average_precision
from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from tests.live.conftest import MakeWorker
from tests.support.command_line import riskstream
from tests.support.event_feed import FIRST_MS, PAYMENTS, SCORERS, payments
from tests.support.independent_reader import Reader, Record, read_outcome

COUNT = 1_200
DELAY_MS = 3_600_000
KNOWN_BY_MS = FIRST_MS + 900 * 60_000 + DELAY_MS
TIMES = ("--known-by", "2023-11-15T14:13:20Z")  # KNOWN_BY_MS


def write_file(path: Path) -> dict[tuple[str, str], int]:
    """Payments with a truth for most, and one that is none; returns the truths known in time, by event and account."""
    chance = random.Random(5)
    events = [event for _, event in payments(COUNT, seed=3)]
    truths = [None if chance.random() < 0.1 else int(chance.random() < 0.02 or event["amount"] > 300) for event in events]
    cells = [None if truth is None else str(truth) for truth in truths]
    truths[17], cells[17] = None, "perhaps"
    pl.DataFrame(events).with_columns(fraud=pl.Series(cells)).write_csv(path)
    return {
        (event["event_id"], event["account_id"]): truth
        for event, truth in zip(events, truths, strict=True)
        if truth is not None and event["occurred_at_ms"] + DELAY_MS <= KNOWN_BY_MS
    }


def send_again(bootstrap: str, record: Record, headers: list[tuple[str, bytes]], *, abort: bool = False) -> None:
    """The score once more, as a worker would that seemed dead; or in a transaction that comes to nothing."""
    settings = {"bootstrap.servers": bootstrap, "log_level": 0}
    producer = Producer(settings | ({"transactional.id": "aborted"} if abort else {}))
    if abort:
        producer.init_transactions()
        producer.begin_transaction()
    producer.produce(record.topic, record.value, record.key, record.partition, headers=headers)
    assert producer.flush(30) == 0
    if abort:
        producer.abort_transaction()


@pytest.fixture
def scored(services: EmbeddedServices, settings: Settings, make_worker: MakeWorker, tmp_path: Path):
    """The known truths, after a worker scored what `feed --labels` fed and some scores were written again."""
    path = tmp_path / "payments.csv"
    truths = write_file(path)
    arguments = ("--set", "label=fraud", "--labels", "--label-delay", "1h", "--json")
    address = {"kafka_bootstrap": services.kafka_bootstrap, "namespace": settings.namespace}
    fed = riskstream("feed", PAYMENTS, str(path), *arguments, **address)
    assert fed.returncode == 0, fed.stderr
    told = json.loads(fed.stdout)
    assert (told["events"], told["labels_refused"], told["refused"]) == (COUNT, 1, 0)
    assert told["labels"] + told["labels_unknown"] + told["labels_refused"] == COUNT
    assert "payments.csv row 17: WRONG_TYPE at $.label" in fed.stderr
    with make_worker().start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= COUNT * len(SCORERS[PAYMENTS]), "all payments are scored")
        assert worker.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (PAYMENTS,))
    first = next(each for each in outcome.scores if (each.body["event_id"], each.body["entity"]) in truths)
    send_again(services.kafka_bootstrap, first, list(first.headers))
    send_again(services.kafka_bootstrap, first, [("ce_source", b"/another-house/transactions/0")])
    send_again(services.kafka_bootstrap, first, list(first.headers), abort=True)
    return truths, outcome, address, first.body["scorer"]


def test_judge_joins_scores_and_labels_as_an_independent_reader_does(scored) -> None:
    """Only labels known by then, each event once, of this namespace and of no aborted transaction."""
    truths, outcome, address, doubled = scored
    done = riskstream("judge", *TIMES, "--against", "payment_anomaly", "--resamples", "100", "--json", **address)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["known_by_ms"] == KNOWN_BY_MS
    assert said["labels"]["known"] == len(truths) and said["labels"]["not_known_yet"] > 0
    assert [each["scorer"] for each in said["scorers"]] == sorted(SCORERS[PAYMENTS])
    account_of = {(r.topic, r.partition, r.offset): r.body["account_id"] for r in outcome.inputs}
    for found in said["scorers"]:
        bodies = outcome.scores_of(found["scorer"])
        rows = [(body, truths.get((body["event_id"], account_of[place]))) for place, body in bodies.items()]
        known = [(body, truth) for body, truth in rows if truth is not None]
        values = pl.Series([body["value"] for body, _ in known]).to_numpy()
        truth = pl.Series([truth == 1 for _, truth in known]).to_numpy()
        assert (found["n"], found["positives"]) == (len(truths), int(truth.sum()))
        assert found["auc"][0] == pytest.approx(area_under_curve(values, truth), abs=1e-6)
        assert found["average_precision"][0] == pytest.approx(average_precision(values, truth), abs=1e-6)
        for level, levels in (("watch", ("watch", "alert")), ("alert", ("alert",))):
            flagged = pl.Series([body["level"] in levels for body, _ in known]).to_numpy()
            hits = int((flagged & truth).sum())
            assert found[level]["recall"][0] == pytest.approx(hits / truth.sum(), abs=1e-6)
            if flagged.any():
                assert found[level]["precision"][0] == pytest.approx(hits / flagged.sum(), abs=1e-6)
        assert found["shadow"] == scorers()[found["scorer"]].shadow
        assert (found["repeated"], found["scored_again"]) == (int(found["scorer"] == doubled), 0)
        assert found["scores"] == found["n"] + found["unlabelled"] + found["repeated"]
    assert [each["scorer"] for each in said["compared"]] == sorted(set(SCORERS[PAYMENTS]) - {"payment_anomaly"})
    table = riskstream("judge", *TIMES, "--scorer", "payment_merchant", "--resamples", "100", **address)
    assert table.returncode == 0, table.stderr
    assert "payment_merchant (challenger)" in table.stdout and "payment_anomaly" not in table.stdout


def test_judge_without_labels_says_how_they_come(services: EmbeddedServices, settings: Settings) -> None:
    """An empty table would leave one guessing."""
    address = {"kafka_bootstrap": services.kafka_bootstrap, "namespace": settings.namespace}
    done = riskstream("judge", **address)
    assert done.returncode == 0, done.stderr
    assert "riskstream feed --labels" in done.stdout
