"""Realised variances through Kafka and Redis with the shipped bundle: what an evaluation says, byte for byte."""

import base64
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("torch")

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.files import read_events
from scoring.files.mapping import IDENTITY
from scoring.model.bundle import load_bundle
from stream.services.embedded import EmbeddedServices
from tests.live.conftest import MakeWorker
from tests.support.event_feed import Feeder
from tests.support.independent_reader import Reader, read_outcome
from training.dataset import collect
from training.evaluation import score_rows
from training.shipped import weekly_variances

pytestmark = pytest.mark.training

ROWS = 1_000
SHIPPED = Path(next(iter(scoring.bundles.__path__)))


def test_live_scores_and_outputs_of_variances_are_those_of_an_evaluation(
    services: EmbeddedServices, settings, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """A figure of `realised-variance` is a promise about what a worker says; here with 50 weeks of 20 shares."""
    path = tmp_path / "variances.parquet"
    weekly_variances(0).head(ROWS).write_parquet(path)
    scorer = scorers()["realised_variance"]
    chunks = list(read_events([path], IDENTITY, scorer.event))
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    assert len(events) == ROWS
    feeder = Feeder(services.kafka_bootstrap)
    for event in events:
        feeder.send_raw(scorer.topic, event[scorer.event.key].encode(), msgspec.json.encode(event))
    feeder.flush()
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= ROWS, "all variances are scored")
        assert worker.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (scorer.topic,))
    assert not outcome.letters
    served = {score["event_id"]: score for score in outcome.scores_of(scorer.name).values()}
    session = load_bundle(SHIPPED / scorer.name).session
    rows = collect(scorer.view, chunks, with_history=True).rows
    values = np.round(score_rows(session, rows).astype(float), DECIMALS)
    said = np.round(session.outputs(rows.features, rows.history, rows.lengths).astype(float), DECIMALS)
    assert [served[event["event_id"]]["value"] for event in events] == values.tolist()
    for event, vector, outputs in zip(events, rows.features, said.tolist(), strict=True):
        score = served[event["event_id"]]
        assert base64.b64decode(score["features"]) == vector.astype("<f4").tobytes()
        assert [each for name in ("volatility", "volatility_exceeded") for each in score["outputs"][name]] == outputs
