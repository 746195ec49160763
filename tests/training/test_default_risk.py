"""Default risk as it ships: what its figures rest on would be missed if it were taken away."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

import scoring.bundles
from scoring.catalog import scorers
from scoring.engine import DECIMALS
from scoring.files import Chunk, read_events
from scoring.metrics import Ranking
from scoring.model import load_bundle
from training.dataset import Dataset, collect
from training.evaluation import score_rows
from training.making import split_of
from training.protocols.outcome import read_outcomes
from training.protocols.protocol import read_protocol
from training.protocols.rivals import scores_by, session_of
from training.removed_history import removed_history
from training.shipped import DATA, SHIPPED
from training.trainer import trainer_named

pytestmark = pytest.mark.training

HOME = Path(next(iter(scoring.bundles.__path__)))
RESULTS = Path(__file__).parents[2] / "docs" / "evaluation"
CREDIT = {"company_default": "statements_demo", "card_default": "cards_demo"}
PROTOCOLS = {"company_default": "polish", "card_default": "card-default"}
TRAINED = {each.scorer: each for each in SHIPPED}


def shown(scorer: str) -> list[Chunk]:
    """The events of the shipped file to show, none of which the bundle was trained on."""
    mapping = TRAINED[scorer].mapping
    return list(read_events([DATA / f"{CREDIT[scorer]}.parquet"], mapping, scorers()[scorer].event))


def learned(scorer: str) -> Dataset:
    """The rows that the shipped bundle was made from."""
    each = TRAINED[scorer]
    return collect(
        scorers()[scorer].view, read_events([DATA / each.data], each.mapping, scorers()[scorer].event), with_history=False
    )


@pytest.mark.parametrize("scorer", CREDIT)
def test_what_comes_later_changes_no_score(scorer: str):
    """A score that knew the next month, or the next company, would be worth nothing on the day it is asked for."""
    session, view, chunks = load_bundle(HOME / scorer).session, scorers()[scorer].view, shown(scorer)
    whole = collect(view, chunks, with_history=False)
    scores = np.round(score_rows(session, whole.rows).astype(np.float64), DECIMALS)
    for share in (0.3, 0.6):
        cut = int(np.quantile(whole.occurred_at_ms, share))
        early = [cut_before(chunk, cut) for chunk in chunks]
        past = collect(view, early, with_history=False)
        known = whole.occurred_at_ms < cut
        assert 0 < len(past) == int(known.sum()) < len(whole)
        assert np.round(score_rows(session, past.rows).astype(np.float64), DECIMALS).tobytes() == scores[known].tobytes()


def cut_before(chunk: Chunk, at_ms: int) -> Chunk:
    """The events of a chunk before a time."""
    kept = (chunk.frame["occurred_at_ms"] < at_ms).to_numpy().nonzero()[0]
    labels = None if chunk.labels is None else chunk.labels[kept]
    return replace(chunk, frame=chunk.frame[kept], labels=labels, protected=None)


@pytest.mark.parametrize(("scorer", "least", "rows"), [("company_default", 0.9, 2_400), ("card_default", 0.7, 4_000)])
def test_shuffled_labels_leave_nothing_to_find(scorer: str, least: float, rows: int):
    """A figure that stays when the truth is drawn anew comes from a leak."""
    dataset = learned(scorer)
    assert dataset.labels is not None
    known = np.flatnonzero(dataset.labels >= 0)[:rows]
    train, validation, test = np.split(known, [int(0.6 * rows), int(0.75 * rows)])
    areas = []
    for shuffled in (False, True):
        labels = dataset.labels.copy()
        if shuffled:
            learns = np.concatenate([train, validation])
            labels[learns] = np.random.default_rng(5).permutation(labels[learns])
        declared = scorers()[scorer]
        session = session_of(
            declared, declared.trainer, replace(dataset, labels=labels), train=train, validation=validation, seed=7
        )
        areas.append(Ranking(scores_by(session, dataset.rows.take(test)), dataset.labels[test]).auc(np.ones(len(test))))
    assert areas[0] > least
    assert abs(areas[1] - 0.5) < 0.15


@pytest.mark.parametrize("scorer", CREDIT)
def test_removing_history_costs_what_the_card_states(scorer: str):
    """The card's figure is measured again; where it states none, an event has no past that a score could lose."""
    bundle, declared, dataset = load_bundle(HOME / scorer), scorers()[scorer], learned(scorer)
    each = TRAINED[scorer]
    config = msgspec.structs.replace(trainer_named(declared.trainer).defaults, seed=bundle.manifest.training.seed)
    test = split_of(dataset, declared, config).test
    chunks = read_events([DATA / each.data], each.mapping, declared.event)
    found = removed_history(bundle.session, dataset, test, chunks, declared.view, seed=config.seed)
    stated = bundle.manifest.metrics.get("removed_history", {})
    assert found.keys() == stated.keys()
    for name in found.keys() - {"rows"}:
        assert found[name] == pytest.approx(stated[name], abs=1e-3)
    if stated:
        assert stated["auc_difference"][1] > 0
        assert f"{stated['auc_difference'][0]:.4g}" in (bundle.folder / "card.html").read_text()


@pytest.mark.parametrize("scorer", CREDIT)
def test_the_champion_is_behind_no_model_of_its_protocol_and_says_what_was_compared(scorer: str):
    """If a baseline wins it ships: nobody chooses a network for its own sake."""
    outcomes = read_outcomes((RESULTS / f"{PROTOCOLS[scorer]}.json").read_bytes())
    protocol, trainer = read_protocol(PROTOCOLS[scorer]).protocol, scorers()[scorer].trainer
    ranked = [each for each in outcomes if each.metric == protocol.metrics[0]]
    assert trainer in {name for each in ranked for name in (each.model, each.baseline)}
    assert not [each for each in ranked if (each.model, each.verdict) == (trainer, "behind")]
    assert not [each for each in ranked if (each.baseline, each.verdict) == (trainer, "ahead")]
    bundle = load_bundle(HOME / scorer)
    assert bundle.manifest.trainer == trainer
    if trainer in protocol.baselines:
        lost = max((each for each in ranked if each.baseline == trainer), key=lambda each: each.value)
        figures = f"{trainer} ahead of the network {lost.model} (AUC {lost.baseline_value:.3f} to {lost.value:.3f})"
        assert figures in (bundle.folder / "card.html").read_text()


@pytest.mark.parametrize("scorer", CREDIT)
def test_reasons_of_refusals_are_held_against_exact_shapley_values(scorer: str):
    """Who is refused is told why; the card states that it is why."""
    held = load_bundle(HOME / scorer).manifest.metrics["faithfulness"]
    assert held["rows"] == 200 and held["holds"]
    assert held["shapley"][0] >= 0.8
    assert held["against_random"] == held["against_zscore"] == "ahead"
