"""Daily bars and portfolios through Kafka and Redis: what is said of them is what an evaluation of the file gives."""

import base64
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.files import Chunk, Mapping, read_events
from scoring.files.mapping import IDENTITY
from scoring.model.bundle import load_bundle
from stream.services.embedded import EmbeddedServices
from tests.live.conftest import MakeWorker
from tests.support.event_feed import BARS, FIRST_MS, Feeder
from tests.support.independent_reader import Reader, read_outcome
from training.dataset import collect
from training.shipped import CLOSES_AS_BARS, DATA, SEED, portfolio_returns

pytestmark = pytest.mark.training

ROWS, DAY_MS = 1_000, 86_400_000
SHIPPED = Path(next(iter(scoring.bundles.__path__)))


def shares() -> tuple[pl.DataFrame, Mapping]:
    """50 days of 20 shares."""
    return pl.read_parquet(DATA / "closes_train.parquet").head(ROWS), CLOSES_AS_BARS


def portfolios() -> tuple[pl.DataFrame, Mapping]:
    """50 days of the 20 portfolios that are drawn of them, at weights that do not change."""
    return portfolio_returns(SEED).head(ROWS), IDENTITY


@pytest.mark.parametrize(
    ("names", "given"),
    [(("bar_volatility", "feed_staleness"), shares), (("portfolio_risk",), portfolios)],
    ids=["bars", "portfolios"],
)
def test_live_scores_and_outputs_are_those_of_an_evaluation(
    services: EmbeddedServices,
    make_worker: MakeWorker,
    tmp_path: Path,
    names: tuple[str, ...],
    given: Callable[[], tuple[pl.DataFrame, Mapping]],
) -> None:
    """A figure of a protocol is a promise about what a worker says; here digit by digit, with 50 days of 20 series."""
    path, event_type = tmp_path / "events.parquet", scorers()[names[0]].event
    frame, mapping = given()
    frame.write_parquet(path)
    chunks = list(read_events([path], mapping, event_type))
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    assert len(events) == ROWS
    Feeder(services.kafka_bootstrap).send([(event_type.topic, event) for event in events])
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= ROWS * len(names), "all events are scored")
        assert worker.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (event_type.topic,))
    assert {score.body["scorer"] for score in outcome.scores} == set(names)
    for name in names:
        served = [score.body for score in outcome.scores if score.body["scorer"] == name]
        found = {body["event_id"]: (body["value"], body["features"], body.get("outputs")) for body in served}
        assert found == evaluated(name, events, chunks)
        assert {body["score_kind"] for body in served} == {"tail"}


Said = tuple[float, str, dict[str, list[float]] | None]


def evaluated(name: str, events: Sequence[dict[str, object]], chunks: Sequence[Chunk]) -> dict[object, Said]:
    """Score, vector and named outputs of every event by id, from the shipped bundle over the file."""
    bundle, rows = load_bundle(SHIPPED / name), collect(scorers()[name].view, chunks, with_history=True).rows
    values = np.round(bundle.session.run(rows.features, rows.history, rows.lengths).astype(float), DECIMALS)
    outputs: list[dict[str, list[float]] | None] = [None] * len(events)
    if bundle.manifest.outputs:
        said = np.round(bundle.session.outputs(rows.features, rows.history, rows.lengths).astype(float), DECIMALS)
        outputs = [
            {"volatility": [row[0]], "value_at_risk": row[1:3], "expected_shortfall": row[3:5]}
            for row in said.tolist()
        ]
    vectors = [base64.b64encode(vector.astype("<f4").tobytes()).decode() for vector in rows.features]
    return {
        event["event_id"]: (value, vector, row)
        for event, value, vector, row in zip(events, values.tolist(), vectors, outputs, strict=True)
    }


def test_a_stalled_feed_is_alerted_when_bars_repeat_their_price_and_when_nobody_sends_any(
    services: EmbeddedServices, make_worker: MakeWorker
) -> None:
    """Silence sends no record: who asks has the answer; asked in time, and for a bar that moves, there is nothing."""
    generator = np.random.default_rng(4)
    closes = {
        symbol: (1.5 * np.exp(generator.normal(0, 1e-2, 120).cumsum())).tolist() for symbol in ("repeats", "silent")
    }
    closes["repeats"] += [closes["repeats"][-1]] * 10
    bars = [
        (BARS, {"event_id": f"{symbol}-{place}", "occurred_at_ms": FIRST_MS + place * DAY_MS, "symbol": symbol,
                "close": close})
        for symbol, each in closes.items()
        for place, close in enumerate(each)
    ]  # fmt: skip
    asked = [
        (BARS, {"event_id": f"asked-{later}", "occurred_at_ms": FIRST_MS + round((119 + later) * DAY_MS),
                "entity": "silent", "as_of": True})
        for later in (0.5, 30.0)
    ]  # fmt: skip
    Feeder(services.kafka_bootstrap).send([*bars, *asked])
    expected = 2 * (len(bars) + len(asked))
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        worker.wait_until(lambda: reader.terminals() >= expected, "all bars and questions are scored")
        assert worker.wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, (BARS,))
    scores = {
        score.body["event_id"]: score.body for score in outcome.scores if score.body["scorer"] == "feed_staleness"
    }
    assert scores["asked-0.5"]["value"] == 0
    assert (scores["asked-30.0"]["level"], scores["repeats-129"]["level"]) == ("alert", "alert")
    assert scores["repeats-129"]["reasons"][0] == "EWMA_VOLATILITY_LOW"
    assert scores["asked-30.0"]["reasons"][0] == "SECONDS_SINCE_LAST_HIGH"
    assert [name for name, score in scores.items() if score["level"] != "none" and name.startswith("silent")] == []
