"""Card payments with chargebacks through Kafka and Redis: what evaluation says of account and merchant, byte for byte."""

import base64
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.files import read_events
from scoring.model.bundle import load_bundle
from scoring.murmur2 import partition_of
from stream.services.embedded import EmbeddedServices
from stream.topics import DEFAULT_PARTITIONS
from tests.live.conftest import MakeWorker
from tests.support.event_feed import PAYMENTS, SCORERS, Feeder
from tests.support.independent_reader import Reader, read_outcome
from training.dataset import collect
from training.evaluation import score_rows
from training.making import Origin, make_bundle
from training.shipped import FRAUDS
from training.simulated_cards import simulated_cards
from training.trainer import trainer_named

pytestmark = pytest.mark.training

ROWS = 1_000
SHIPPED = Path(next(iter(scoring.bundles.__path__)))


def payments(partitions: int) -> pl.DataFrame:
    """Simulated payments of cards that all lie in one partition: only there the order of a merchant's events is given."""
    frame = simulated_cards(seed=11)
    homes = {card: partition_of(card.encode(), partitions) for card in frame["account_id"].unique().to_list()}
    return frame.filter(pl.col("account_id").replace_strict(homes, return_dtype=pl.Int64) == 0).head(ROWS)


def with_challenger(trainer: str, folder: Path) -> Path:
    """The shipped bundles, and in place of that for frauds one by another trainer from simulated cards."""
    simulated_cards(seed=11).write_parquet(folder / "cards.parquet")
    scorer = scorers()["payment_fraud"]
    chunks = read_events([folder / "cards.parquet"], FRAUDS, scorer.event)
    config = trainer_named(trainer).defaults
    origin = Origin(("simulated_cards",), "CC0-1.0")
    made = make_bundle(
        scorer, collect(scorer.view, chunks, with_history=False), origin, config, lambda *_: None, folder / "made",
        trainer_name=trainer,
    )  # fmt: skip
    assert made.bundle.manifest.trainer == trainer
    home = folder / "bundles"
    shutil.copytree(SHIPPED, home, ignore=shutil.ignore_patterns("payment_fraud", "__pycache__", "*.py"))
    shutil.copytree(made.bundle.folder, home / "payment_fraud")
    return home


@pytest.mark.parametrize("challenger", [None, "boosting", "random_forest"])
def test_live_scores_of_payments_and_chargebacks_are_those_of_an_evaluation(
    services: EmbeddedServices, settings, make_worker: MakeWorker, tmp_path: Path, challenger: str | None
) -> None:
    """A figure of `cards-prequential` is a promise about a worker: features of both entities, and all scores."""
    home = with_challenger(challenger, tmp_path) if challenger else SHIPPED
    path = tmp_path / "payments.parquet"
    payments(DEFAULT_PARTITIONS).write_parquet(path)
    chunks = list(read_events([path], FRAUDS, scorers()["payment_fraud"].event))
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    assert len(events) > ROWS  # some are charged back
    messages = [(PAYMENTS, {name: value for name, value in event.items() if value is not None}) for event in events]
    Feeder(services.kafka_bootstrap).send(messages)
    with make_worker(bundle_dirs=home).start() as worker, Reader(services.kafka_bootstrap) as reader:
        expected = len(events) * len(SCORERS[PAYMENTS])
        worker.wait_until(lambda: reader.terminals() >= expected, "all payments are scored")
        assert worker.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (PAYMENTS,))
    for name in SCORERS[PAYMENTS]:
        scorer, session = scorers()[name], load_bundle(home / name).session
        rows = collect(scorer.view, chunks, with_history=True).rows
        values = np.round(score_rows(session, rows).astype(float), DECIMALS).tolist()
        live = {score["event_id"]: score for score in outcome.scores_of(name).values()}
        assert [live[event["event_id"]]["value"] for event in events] == values, name
        for event, vector in zip(events, rows.features, strict=True):
            assert base64.b64decode(live[event["event_id"]]["features"]) == vector.astype("<f4").tobytes()
