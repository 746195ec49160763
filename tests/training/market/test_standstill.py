"""Standing still: counted as a plain loop counts it, asked about and not folded, learned from bars, equal as graph."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

import scoring.bundles
from schemas.as_of import AsOf, as_question
from schemas.events.bar import EVENT, Bar
from scoring.catalog import scorers
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.model.bundle import load_bundle
from scoring.model.rows import Rows
from tests.training.conftest import QUIET
from tests.training.market.test_bar_alarms import bars
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.making import Made, Origin, make_bundle
from training.market.prices import chunk_of
from training.networks.standstill import LONG, PRIOR, Standstill, StandstillOdds
from training.protocols.methods.bar_alarms import BarAlarms
from training.protocols.protocol import Ground, read_protocol
from training.trainer import Part, trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["feed_staleness"]
MINUTE_MS, STEPS = 60_000, 64
USUAL = (0.05, 0.2, 0.05)


def often_still(seed: int = 4):
    """Minute bars of which a twentieth repeat the price, and of which a fiftieth do not come."""
    chance = np.random.default_rng(seed)
    frame = bars(seed)
    close = frame["close"].to_numpy().copy()
    for at in np.flatnonzero(chance.random(len(close)) < 0.05):
        close[at] = close[at - 1]
    made = frame.with_columns(close=close).filter(chance.random(len(close)) > 0.02)
    return made.select("event_id", "occurred_at_ms", "symbol", "close")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """6,000 minutes of them."""
    return collect(SCORER.view, [chunk_of(often_still())], with_history=True)


@pytest.fixture(scope="module")
def made(dataset, tmp_path_factory) -> Made:
    """A bundle of them; parity of both graphs is checked while it is made."""
    config = msgspec.structs.replace(trainer_named(SCORER.trainer).defaults, epochs=2)
    return make_bundle(
        SCORER, dataset, Origin(("minutes",), "made up"), config, QUIET, tmp_path_factory.mktemp("bundles")
    )


def untrained() -> Standstill:
    """The model as it starts: odds are those of the past itself."""
    network = StandstillOdds(16)
    return Standstill(network, past_steps=STEPS, of_return=0, of_gap=1, places=(0, 1), features=2).eval()


def naive(steps: list[tuple[float, float]]) -> tuple[float, float]:
    """Minus log p of the run and of the silence, by walking through return and gap of each bar; the last may be asked."""
    returned, gap = steps[-1]
    asked = len(steps) > 1 and np.isnan(returned) and not np.isnan(gap)
    past = steps[:-1] if asked else steps
    run = 0
    while run < len(past) and past[-1 - run][0] == 0:
        run += 1
    counts = {False: [0, 0], True: [0, 0]}
    for before, this in pairwise(past[: len(past) - run]):
        if not np.isnan(this[0]):
            counts[before[0] == 0][0] += 1
            counts[before[0] == 0][1] += this[0] == 0
    gaps = [each for _, each in past if each > 0]
    usual = np.exp(np.mean(np.log(gaps))) if gaps else 1.0
    counted = [*counts.values(), [len(gaps), sum(each >= LONG * usual for each in gaps)]]
    shares = [(times + PRIOR * usually) / (count + PRIOR) for (count, times), usually in zip(counted, USUAL, strict=True)]
    first, again, long = (-np.log(share) for share in shares)
    over = max(0.0, np.log(gap / usual) / np.log(LONG)) if asked and gaps else 0.0
    return (first + (run - 1) * again if run else 0.0), long * over


@pytest.mark.parametrize("seed", range(30))
def test_run_and_silence_are_those_of_a_walk_through_the_bars(seed):
    """Drawn histories of any length, with repeated prices, unknown returns, gaps of all sizes, a question at the end."""
    chance = np.random.default_rng(seed)
    count = int(chance.integers(1, STEPS + 1))
    steps = [
        (float(chance.choice([0.0, 0.01, -0.02, np.nan], p=[0.4, 0.28, 0.28, 0.04])), float(chance.lognormal(4, 1)))
        for _ in range(count)
    ]
    steps[0] = (np.nan, np.nan)
    if seed % 3 == 0 and count > 1:
        steps[-1] = (np.nan, float(chance.lognormal(6, 1)))
    elif seed % 3 == 1:
        steps[-min(count - 1, 5) or None :] = [(0.0, 60.0)] * min(count - 1, 5)
    history = np.full((1, STEPS, 2), np.nan, np.float32)
    history[0, : len(steps)] = steps
    with torch.no_grad():
        run, silence = untrained().parts(torch.from_numpy(history), torch.tensor([len(steps)], dtype=torch.int32))
    expected = naive([tuple(map(float, step)) for step in history[0, : len(steps)]])
    assert (float(run), float(silence)) == pytest.approx([min(each, 30.0) for each in expected], rel=1e-4, abs=1e-5)


def asked(made: Made, closes: list[float], minutes_later: float) -> float:
    """The score of a question so long after the last of these minute bars, through the kernel."""
    events = [
        Bar(event_id=str(place), occurred_at_ms=place * MINUTE_MS, symbol="X", close=close)
        for place, close in enumerate(closes)
    ]
    at = events[-1].occurred_at_ms + round(minutes_later * MINUTE_MS)
    question = as_question(EVENT, AsOf(event_id="asked", occurred_at_ms=at, entity="X"))
    table = fold_table(SCORER.view, EventBatch.from_events(EVENT, [*events, question]), [None])
    return float(made.bundle.session.run(table.vectors, table.history, table.lengths)[-1])


def test_silence_is_scored_when_somebody_asks_and_the_longer_the_higher(made):
    """A feed that stalls sends nothing to be scored: only a question says so. In time there is nothing to say."""
    closes = (1.5 * np.exp(np.random.default_rng(8).normal(0, 1e-4, 200).cumsum())).tolist()
    scores = [asked(made, closes, minutes) for minutes in (0.5, 1.0, 2.0, 5.0, 30.0)]
    assert scores[0] == scores[1] == 0
    assert scores == sorted(scores) and scores[2] > 0.9
    assert scores[3] > SCORER.policy.watch and scores[4] > SCORER.policy.alert


def test_a_symbol_that_often_stands_still_is_judged_by_its_own_past(made):
    """Five repeated prices are nothing for one that moves every tenth bar, and an alarm for one that always does."""
    chance = np.random.default_rng(9)
    lively = 1.5 * np.exp(chance.normal(0, 1e-4, 200).cumsum())
    sleepy = np.repeat(lively[:20], 10)
    found = []
    for closes in (lively, sleepy):
        steady = [*closes.tolist(), float(closes[-1]) * 1.001, *[float(closes[-1]) * 1.001] * 5]
        found.append(asked(made, steady, 0.5))
    assert found[0] > SCORER.policy.alert and found[1] < 0.9


def test_a_bar_that_moves_the_price_scores_nothing_and_one_that_repeats_it_the_more_the_longer(made, dataset):
    """What the score is of: nothing moved for so long."""
    scores = made.bundle.session.run(dataset.rows.features, dataset.rows.history, dataset.rows.lengths)
    returns = dataset.rows.features[:, 0]
    assert not scores[returns != 0].any()
    still = np.flatnonzero(returns == 0)
    twice = still[np.isin(still - 1, still)]
    assert len(twice) > 5 and (scores[twice] > scores[twice - 1]).all()
    assert (scores[still] > 0.8).mean() > 0.9


@pytest.mark.parametrize("seconds", [60.0, 86_400.0])
def test_each_repeated_price_raises_the_score_of_the_shipped_bundle_whatever_the_feed(seconds):
    """It was trained on days with weekends and has to serve minutes without; ten repeated prices are an alarm on both."""
    bundle = load_bundle(Path(next(iter(scoring.bundles.__path__))) / SCORER.name)
    history = np.full((15, STEPS, 2), [0.01, seconds], np.float32)
    for run in range(15):
        history[run, STEPS - run :, 0] = 0.0
    rows = np.zeros((15, 3), np.float32), history, np.full(15, STEPS, np.int32)
    scores = np.round(bundle.session.run(*rows).astype(float), 6)
    assert scores[0] == 0 and scores[10] > SCORER.policy.alert
    assert (np.diff(scores) >= 0).all() and (np.diff(scores)[:5] > 0).all()


def test_the_parts_explain_the_score_wholly(made, dataset):
    """Minus the logarithm of one minus the score is the volatility's share, and for a question that of the silence."""
    rows = dataset.rows.take(slice(2_000, 4_000))
    history = rows.history.copy()
    history[1_000:, -1] = [np.nan, 150.0]
    rows = Rows(rows.features, history, rows.lengths)
    shares = made.bundle.session.explain(rows.features, rows.history, rows.lengths).astype(float)
    scores = made.bundle.session.run(rows.features, rows.history, rows.lengths).astype(float)
    assert 1 - np.exp(-shares.sum(axis=1)) == pytest.approx(scores, abs=1e-6)
    assert not shares[:, 0].any() and not shares[:1_000, 2].any() and (shares[1_000:, 2] > 1).all()


def test_whatever_the_input_there_is_a_score_and_no_batch_changes_it(made):
    """A history that was lost, prices and times of any size."""
    chance = np.random.default_rng(1)
    history = (chance.standard_t(2, (400, STEPS, 2)) * 10.0 ** chance.integers(-9, 9, (400, 1, 1))).astype(np.float32)
    history[chance.random((400, STEPS, 2)) < 0.2] = np.nan
    history[chance.random((400, STEPS, 2)) < 0.2] = 0.0
    lengths = chance.integers(0, STEPS + 1, 400).astype(np.int32)
    scores = made.bundle.session.run(np.zeros((400, 3), np.float32), history, lengths)
    assert np.isfinite(scores).all() and (scores >= 0).all() and (scores <= 1).all()
    assert made.bundle.session.batch_invariant


def test_cutting_off_the_future_changes_no_score_and_losing_the_past_takes_it_away(made, dataset):
    """No leak, and what is said rests on the past alone."""
    frame = often_still()
    cut = collect(SCORER.view, [chunk_of(frame.head(2_000))], with_history=True)
    run = made.bundle.session.run
    whole = run(dataset.rows.features, dataset.rows.history, dataset.rows.lengths)
    assert run(cut.rows.features, cut.rows.history, cut.rows.lengths).tobytes() == whole[:2_000].tobytes()
    none = replace(dataset.rows, lengths=np.zeros_like(dataset.rows.lengths))
    assert not run(none.features, none.history, none.lengths).any()


def test_stale_feeds_are_found_by_the_protocol_as_the_rule_finds_them(tmp_path):
    """Only stale feeds are put in, and both find them."""
    protocol = read_protocol("stale-bars").protocol
    assert isinstance(protocol, BarAlarms) and protocol.kinds == ("stale_feed",)
    mapping = tmp_path / "bars.toml"
    mapping.write_text('event = "Bar"\nsame_names = true\n[time]\ncolumn = "occurred_at_ms"\n')
    often_still().write_parquet(tmp_path / "bars.parquet")
    few = msgspec.structs.replace(protocol, map=str(mapping), seeds=(7,), resamples=100, faults_of_each=8)
    (found,) = few.run(Ground((Path(tmp_path / "bars.parquet"),), ""), "stale", "0" * 64)
    assert (found.value, found.baseline_value, found.positives) == (1.0, 1.0, 8)
    assert set(found.statistics) >= {"recall_stale_feed"} and "recall_fat_finger" not in found.statistics


def test_other_views_and_too_few_bars_are_refused(dataset):
    """A model of a handful of bars would look like any other."""
    trainer = trainer_named(SCORER.trainer)
    few = Part(dataset.rows.take(slice(0, 100)), dataset.rows.take(slice(100, 200)))
    with pytest.raises(TrainingRefused, match="fewer than 200; give more bars"):
        trainer.fit(SCORER.view, few, trainer.defaults, QUIET)
    with pytest.raises(TrainingRefused, match="keeps no history of log_return and seconds_since_last"):
        trainer.fit(scorers()["bar_volatility"].view, few, trainer.defaults, QUIET)
