"""Daily bars and portfolios through Kafka and Redis: what is said of them is what an evaluation of the file gives."""

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.files import Mapping, read_events
from scoring.files.mapping import IDENTITY
from scoring.model.bundle import load_bundle
from stream.services.embedded import EmbeddedServices
from tests.live.conftest import MakeWorker
from tests.support.event_feed import Feeder
from tests.support.independent_reader import Reader, read_outcome
from training.dataset import collect
from training.shipped import CLOSES_AS_BARS, DATA, SEED, portfolio_returns

pytestmark = pytest.mark.training

ROWS = 1_000
SHIPPED = Path(next(iter(scoring.bundles.__path__)))


def shares() -> tuple[pl.DataFrame, Mapping]:
    """50 days of 20 shares."""
    return pl.read_parquet(DATA / "closes_train.parquet").head(ROWS), CLOSES_AS_BARS


def portfolios() -> tuple[pl.DataFrame, Mapping]:
    """50 days of the 20 portfolios that are drawn of them, at weights that do not change."""
    return portfolio_returns(SEED).head(ROWS), IDENTITY


@pytest.mark.parametrize(
    ("name", "given"), [("bar_volatility", shares), ("portfolio_risk", portfolios)], ids=["bars", "portfolios"]
)
def test_live_scores_and_outputs_are_those_of_an_evaluation(
    services: EmbeddedServices,
    make_worker: MakeWorker,
    tmp_path: Path,
    name: str,
    given: Callable[[], tuple[pl.DataFrame, Mapping]],
) -> None:
    """A figure of a protocol is a promise about what a worker says; here digit by digit, with 50 days of 20 series."""
    path, scorer = tmp_path / "events.parquet", scorers()[name]
    frame, mapping = given()
    frame.write_parquet(path)
    chunks = list(read_events([path], mapping, scorer.event))
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    assert len(events) == ROWS
    topic = scorer.event.topic
    Feeder(services.kafka_bootstrap).send([(topic, event) for event in events])
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= ROWS, "all events are scored")
        assert worker.wait_ready().terminate() == 0
    served = read_outcome(services.kafka_bootstrap, (topic,)).scores
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
