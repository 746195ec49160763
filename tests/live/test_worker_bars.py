"""Daily bars through Kafka and Redis: scores and named outputs are those that an evaluation of the file gives."""

import base64
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
from stream.services.embedded import EmbeddedServices
from tests.live.conftest import MakeWorker
from tests.support.event_feed import BARS, Feeder
from tests.support.independent_reader import Reader, read_outcome
from training.dataset import collect
from training.shipped import CLOSES_AS_BARS, DATA

pytestmark = pytest.mark.training

ROWS = 1_000
SHIPPED = Path(next(iter(scoring.bundles.__path__)))


def test_live_scores_and_outputs_of_bars_are_those_of_an_evaluation(
    services: EmbeddedServices, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """A figure of a protocol is a promise about what a worker says; here digit by digit, with 50 days of 20 shares."""
    path = tmp_path / "bars.parquet"
    pl.read_parquet(DATA / "closes_train.parquet").head(ROWS).write_parquet(path)
    scorer = scorers()["bar_volatility"]
    chunks = list(read_events([path], CLOSES_AS_BARS, scorer.event))
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    assert len(events) == ROWS
    Feeder(services.kafka_bootstrap).send([(BARS, event) for event in events])
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= ROWS, "all bars are scored")
        assert worker.wait_ready().terminate() == 0
    served = read_outcome(services.kafka_bootstrap, (BARS,)).scores
    bundle = load_bundle(SHIPPED / scorer.name)
    rows = collect(scorer.view, chunks, with_history=True).rows
    values = np.round(bundle.session.run(rows.features, rows.history, rows.lengths).astype(float), DECIMALS)
    said = np.round(bundle.session.outputs(rows.features, rows.history, rows.lengths).astype(float), DECIMALS)
    expected = {
        event["event_id"]: (
            value, base64.b64encode(vector.astype("<f4").tobytes()).decode(),
            {"volatility": [row[0]], "value_at_risk": row[1:3], "expected_shortfall": row[3:5]},
        )
        for event, value, vector, row in zip(events, values.tolist(), rows.features, said.tolist(), strict=True)
    }  # fmt: skip
    found = {
        score.body["event_id"]: (score.body["value"], score.body["features"], score.body["outputs"]) for score in served
    }
    assert found == expected
    assert {score.body["score_kind"] for score in served} == {"tail"}
