"""Readings of series through Kafka and Redis: live scores are those that the protocol's way of scoring gives."""

import base64
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.files import read_events, read_mapping
from scoring.model.bundle import load_bundle
from stream.services.embedded import EmbeddedServices
from tests.live.conftest import MakeWorker
from tests.support.event_feed import Feeder
from tests.support.independent_reader import Reader, read_outcome
from training.dataset import collect
from training.shipped import DATA

pytestmark = pytest.mark.training

ROWS = 1_000
TOPIC = "measurements"
SHIPPED = Path(next(iter(scoring.bundles.__path__)))


def test_live_scores_of_readings_are_those_of_an_evaluation(
    services: EmbeddedServices, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """A figure of the protocol `nab` is a promise about a worker; here digit by digit, with 1,000 of its rows."""
    path, scorer = tmp_path / "series.parquet", scorers()["series_anomaly"]
    series = pl.read_parquet(DATA / "series_train.parquet").filter(pl.col("series").str.contains("realTraffic"))
    series.sort("timestamp", maintain_order=True).head(ROWS).write_parquet(path)
    chunks = list(read_events([path], read_mapping("nab_series"), scorer.event))
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    assert len(events) == ROWS
    Feeder(services.kafka_bootstrap).send([(TOPIC, event) for event in events])
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= ROWS, "all readings are scored")
        assert worker.wait_ready().terminate() == 0
    served = read_outcome(services.kafka_bootstrap, (TOPIC,)).scores
    bundle = load_bundle(SHIPPED / scorer.name)
    rows = collect(scorer.view, chunks, with_history=False).rows
    values = np.round(bundle.session.run(rows.features, rows.history, rows.lengths).astype(float), DECIMALS)
    expected = {
        event["event_id"]: (value, base64.b64encode(vector.astype("<f4").tobytes()).decode())
        for event, value, vector in zip(events, values.tolist(), rows.features, strict=True)
    }
    compact = [score.body for score in served if isinstance(score.body["features"], str)]
    assert {score.body["event_id"]: score.body["value"] for score in served} == {
        name: value for name, (value, _) in expected.items()
    }
    assert {body["event_id"]: body["features"] for body in compact} == {
        body["event_id"]: expected[body["event_id"]][1] for body in compact
    }
    assert len(compact) > ROWS // 2
    assert {score.body["score_kind"] for score in served} == {"tail"}
