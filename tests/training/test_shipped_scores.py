"""Shipped bundles on events they learned from: nothing later is in a score, and the past is worth what the card says."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import scoring.bundles
from scoring.catalog import scorers
from scoring.files import Chunk, read_events
from scoring.model.bundle import load_bundle
from training.dataset import Dataset, collect
from training.evaluation import score_rows
from training.making import split_of
from training.removed_history import removed_history
from training.shipped import DATA, SEED, SHIPPED, Shipped
from training.trainer import trainer_named

pytestmark = pytest.mark.training

BUNDLES = {each.scorer: load_bundle(Path(next(iter(scoring.bundles.__path__))) / each.scorer) for each in SHIPPED}
ROWS = 6_000
WITHOUT_PAST = {"company_default"}
"""One statement each: there is nothing before it."""
ALIKE = 2e-3
"""Figures of machines of different kinds differ in the last digits."""


def file_of(each: Shipped, folder: Path) -> Path:
    """The file the bundle was trained on, drawn again where it was drawn."""
    if each.drawn is None:
        return DATA / each.data
    each.drawn(SEED).write_parquet(folder / "drawn.parquet")
    return folder / "drawn.parquet"


def events_of(each: Shipped, file: Path, limit: int | None = None) -> Iterator[Chunk]:
    return read_events([file], each.mapping, scorers()[each.scorer].event, limit=limit)


def folded(each: Shipped, chunks: Iterable[Chunk]) -> Dataset:
    with_history = "history" in BUNDLES[each.scorer].manifest.inputs
    return collect(scorers()[each.scorer].view, chunks, with_history=with_history)


def before(cut_ms: int, chunk: Chunk) -> Chunk:
    """The events of a chunk that lie before a time."""
    inside = chunk.frame["occurred_at_ms"] < cut_ms
    bare = replace(chunk, labels=None, known_at_ms=None, protected=None)
    return replace(bare, frame=chunk.frame.filter(inside), rows=chunk.rows.filter(inside))


@pytest.mark.parametrize("each", SHIPPED, ids=lambda each: each.scorer)
def test_a_bundle_says_what_it_may_be_used_for_and_what_the_past_is_worth(each: Shipped) -> None:
    """Whoever takes a model over reads its card, and not the code that made it."""
    scorer, bundle = scorers()[each.scorer], BUNDLES[each.scorer]
    manifest, card = bundle.manifest, (bundle.folder / "card.html").read_text(encoding="utf-8")
    assert (manifest.permitted_use, manifest.trainer) == (scorer.use, scorer.trainer)
    assert f"<td>{escape(scorer.use)}</td>" in card
    assert ("removed_history" in manifest.metrics) == (each.scorer not in WITHOUT_PAST)
    assert ("What the past is worth" in card) == (each.scorer not in WITHOUT_PAST)
    assert not set(manifest.protected) & set(manifest.features)
    if manifest.score_kind == "probability":
        assert scorer.outcome != "label 1" and scorer.outcome in manifest.meaning
        assert escape(scorer.outcome) in card
    else:
        assert "label" not in manifest.meaning


def test_explanations_of_shipped_bundles_hold() -> None:
    """A reason that does not move the score is no reason: measured when each was made."""
    assert all(bundle.manifest.metrics["faithfulness"]["holds"] for bundle in BUNDLES.values())


@pytest.mark.parametrize("each", SHIPPED, ids=lambda each: each.scorer)
def test_truncating_the_future_changes_no_past_score(each: Shipped, tmp_path: Path) -> None:
    """A score that knew what came later would be worth more on paper than live: byte for byte the same without it."""
    file = file_of(each, tmp_path)
    has_times = "occurred_at_ms" in pl.read_parquet_schema(file)
    limit = ROWS if has_times else None  # the others are sorted: their first rows are of one month
    whole = folded(each, events_of(each, file, limit))
    cut_ms = int(np.quantile(np.unique(whole.occurred_at_ms), 0.6))
    if has_times:  # the file itself is cut: nobody has read what comes later
        pl.read_parquet(file).filter(pl.col("occurred_at_ms") < cut_ms).write_parquet(tmp_path / "cut.parquet")
        past = folded(each, events_of(each, tmp_path / "cut.parquet", limit))
    else:
        past = folded(each, (before(cut_ms, chunk) for chunk in events_of(each, file, limit)))
    earlier = [np.flatnonzero(dataset.occurred_at_ms < cut_ms) for dataset in (whole, past)]
    assert 1_000 < len(earlier[0]) < len(whole)
    session = BUNDLES[each.scorer].session
    scores = [score_rows(session, dataset.rows.take(rows)) for dataset, rows in zip((whole, past), earlier, strict=True)]
    assert scores[0].tobytes() == scores[1].tobytes()


@pytest.mark.parametrize(
    "each",
    [each for each in SHIPPED if "removed_history" in BUNDLES[each.scorer].manifest.metrics],
    ids=lambda each: each.scorer,
)
def test_removing_history_costs_what_the_card_states(each: Shipped, tmp_path: Path) -> None:
    """Worked out anew from the shipped graphs: the card may be old, or of another model."""
    file, bundle = file_of(each, tmp_path), BUNDLES[each.scorer]
    scorer = scorers()[each.scorer]
    dataset = folded(each, events_of(each, file))
    split = split_of(dataset, scorer, trainer_named(scorer.trainer).defaults)
    told = bundle.manifest.metrics["removed_history"]
    found = removed_history(bundle.session, dataset, split.test, events_of(each, file), scorer.view, seed=SEED)
    assert found["rows"] == told["rows"]
    assert found.keys() == told.keys()
    for name in found.keys() - {"rows"}:
        assert found[name] == pytest.approx(told[name], abs=ALIKE), name
    card = (bundle.folder / "card.html").read_text(encoding="utf-8")
    assert "What the past is worth" in card
    if "auc_difference" in told:
        assert told["auc_difference"][1] > 0, "the past is worth something"
