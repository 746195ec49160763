"""Companies and card accounts through Kafka and Redis with the shipped bundles: what `evaluate` says, byte for byte."""

import base64
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.files import Chunk, read_events, read_mapping
from scoring.model import load_bundle
from stream.services.embedded import EmbeddedServices
from tests.live.conftest import MakeWorker
from tests.support.event_feed import Feeder
from tests.support.independent_reader import Outcome, Reader, read_outcome
from training.dataset import collect

SHIPPED = Path(next(iter(scoring.bundles.__path__)))
DATA = Path(__file__).parents[2] / "stream" / "demo" / "data"
FILES = {"company_default": ("statements_demo", "polish_bankruptcy"), "card_default": ("cards_demo", "uci_card_default")}
JUDGED = 1_000
"""Rows that a protocol would judge: statements of companies, last months of card accounts with the five before them."""


@pytest.fixture
def chunks(tmp_path: Path) -> dict[str, Chunk]:
    """The first 1,000 rows of the files to show, as events with their labels, by scorer."""
    found = {}
    for scorer, (name, mapping) in FILES.items():
        pl.read_parquet(DATA / f"{name}.parquet").head(JUDGED).write_parquet(tmp_path / f"{name}.parquet")
        (found[scorer],) = read_events(
            [tmp_path / f"{name}.parquet"], read_mapping(mapping), scorers()[scorer].event
        )
    return found


@pytest.fixture
def outcome(services: EmbeddedServices, settings, make_worker: MakeWorker, chunks: dict[str, Chunk]) -> Outcome:
    """What a worker with the shipped bundles made of these events."""
    expected = sum(chunk.frame.height for chunk in chunks.values())
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        feeder = Feeder(services.kafka_bootstrap)
        for scorer, chunk in chunks.items():
            key = scorers()[scorer].event.key
            for event in chunk.frame.to_dicts():
                known = {name: value for name, value in event.items() if value is not None}
                feeder.send_raw(scorers()[scorer].topic, event[key].encode(), msgspec.json.encode(known))
        feeder.flush()
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        assert worker.wait_ready().terminate() == 0
    return read_outcome(services.kafka_bootstrap, [scorers()[scorer].topic for scorer in FILES])


def test_a_live_score_is_what_evaluation_says_in_bytes(outcome: Outcome, chunks: dict[str, Chunk]) -> None:
    """A protocol's figures are those of the live worker only if both say the same of the same rows; reasons too."""
    assert not outcome.letters
    for scorer, chunk in chunks.items():
        session = load_bundle(SHIPPED / scorer).session
        dataset = collect(scorers()[scorer].view, [chunk], with_history=False)
        assert dataset.labels is not None and int((dataset.labels >= 0).sum()) == JUDGED
        vectors = dataset.rows.features
        values = np.round(session.run(vectors).astype(np.float64), DECIMALS)
        live = {score["event_id"]: score for score in outcome.scores_of(scorer).values()}
        scores = [live[event_id] for event_id in chunk.frame["event_id"].to_list()]
        assert [score["value"] for score in scores] == values.tolist()
        for vector, score in zip(vectors, scores, strict=True):
            assert base64.b64decode(score["features"]) == vector.astype("<f4").tobytes()
        noted = [row for row, score in enumerate(scores) if score["level"] != "none"]
        assert noted and all(1 <= len(scores[row]["reasons"]) <= 4 for row in noted)
        shares = np.round(session.explain(vectors[noted]).astype(np.float64), DECIMALS)
        for row, share in zip(noted, shares, strict=True):
            named = zip(scorers()[scorer].view.feature_names, share.tolist(), strict=True)
            assert scores[row]["contributions"] == {name: part for name, part in named if part}
