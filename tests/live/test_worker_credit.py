"""Companies and card accounts through Kafka and Redis with the shipped bundles: what evaluation says, byte for byte."""

import base64
from pathlib import Path

import msgspec
import numpy as np
import pytest

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.features.batch import EventBatch
from scoring.features.table import FeatureTable, fold_table
from scoring.files import read_events, read_mapping
from scoring.model import load_bundle
from stream.services.embedded import EmbeddedServices
from tests.live.conftest import MakeWorker
from tests.support.event_feed import Feeder
from tests.support.independent_reader import Outcome, Reader, read_outcome

SHIPPED = Path(next(iter(scoring.bundles.__path__)))
DATA = Path(__file__).parents[2] / "stream" / "demo" / "data"
FILES = {"company_default": ("statements_demo", "polish_bankruptcy"), "card_default": ("cards_demo", "uci_card_default")}
ENTITIES = {"company_default": 1_000, "card_default": 170}


def events_of(scorer: str) -> list[dict]:
    """All six months of the first accounts of the shipped file to show, or the statements of the first companies."""
    name, mapping = FILES[scorer]
    chunks = read_events([DATA / f"{name}.parquet"], read_mapping(mapping), scorers()[scorer].event)
    events = [event for chunk in chunks for event in chunk.frame.to_dicts()]
    key = scorers()[scorer].event.key
    kept = dict.fromkeys(event[key] for event in events)
    some = set(list(kept)[: ENTITIES[scorer]])
    return [{name: value for name, value in event.items() if value is not None} for event in events if event[key] in some]


def folded(scorer: str, events: list[dict]) -> FeatureTable:
    """The features as evaluation folds them, without Kafka and Redis."""
    view = scorers()[scorer].view
    typed = [msgspec.convert(event, view.event.struct) for event in events]
    return fold_table(view, EventBatch.from_events(view.event, typed))


@pytest.fixture
def scored(services: EmbeddedServices, settings, make_worker: MakeWorker) -> tuple[dict[str, list[dict]], Outcome]:
    """What a worker with the shipped bundles made of the file, and the events by scorer."""
    events = {scorer: events_of(scorer) for scorer in FILES}
    expected = sum(map(len, events.values()))
    with make_worker(bundle_dirs=SHIPPED).start() as worker, Reader(services.kafka_bootstrap) as reader:
        feeder = Feeder(services.kafka_bootstrap)
        for scorer, each in events.items():
            key = scorers()[scorer].event.key
            for event in each:
                feeder.send_raw(scorers()[scorer].topic, event[key].encode(), msgspec.json.encode(event))
        feeder.flush()
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        assert worker.wait_ready().terminate() == 0
    return events, read_outcome(services.kafka_bootstrap, [scorers()[scorer].topic for scorer in FILES])


def test_a_live_score_is_what_evaluation_says_in_bytes(scored):
    """A protocol's figures are those of the live worker only if both say the same of the same rows."""
    events, outcome = scored
    assert not outcome.letters
    for scorer, given in events.items():
        assert len(given) >= 1_000
        table, session = folded(scorer, given), load_bundle(SHIPPED / scorer).session
        values = np.round(session.run(table.vectors, table.history, table.lengths).astype(np.float64), DECIMALS)
        live = {score["event_id"]: score for score in outcome.scores_of(scorer).values()}
        assert [live[event["event_id"]]["value"] for event in given] == values.tolist()
        for row, event in enumerate(given):
            score = live[event["event_id"]]
            assert base64.b64decode(score["features"]) == table.vectors[row].astype("<f4").tobytes()
        noted = [score for score in live.values() if score["level"] != "none"]
        assert noted and all(1 <= len(score["reasons"]) <= 4 for score in noted)
