"""Faults in bars are what they say, rules know nothing of the future, and alarms are counted as people get them."""

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from training.errors import TrainingRefused
from training.market.bar_alarms import BAR_RULES, alarms, false_alarms, found_faults, threshold_for
from training.market.bar_faults import KINDS, Fault, with_faults
from training.protocols.methods.bar_alarms import BarAlarms
from training.protocols.protocol import Ground, read_protocol

pytestmark = pytest.mark.training

MINUTE_MS, BARS, SINCE = 60_000, 6_000, 3_600


def bars(seed: int = 1) -> pl.DataFrame:
    """One-minute bars of a random walk whose volatility wanders, each opening at the close before."""
    generator = np.random.default_rng(seed)
    spread = 1e-4 * np.exp(0.5 * np.sin(np.arange(BARS) / 700))
    close = 1.5 * np.exp((spread * generator.standard_t(5, BARS)).cumsum())
    opened = np.concatenate([[1.5], close[:-1]])
    ends = np.stack([opened, close])
    times = 1_328_054_400_000 + (1 + np.arange(BARS)) * MINUTE_MS
    return pl.DataFrame(
        {
            "event_id": [f"b{place}" for place in range(BARS)], "occurred_at_ms": times, "symbol": "X",
            "open": opened, "high": ends.max(axis=0) * 1.00002, "low": ends.min(axis=0) * 0.99998, "close": close,
        }
    )  # fmt: skip


def test_every_kind_of_fault_is_what_its_name_says():
    """The truth that detectors are held against has to be true."""
    true, (changed, faults) = bars(), with_faults(bars(), SINCE, 4, 7)
    assert sorted(each.kind for each in faults) == sorted(KINDS * 4)
    moved, close = changed["close"].to_numpy(), true["close"].to_numpy()
    for each in faults:
        apart = np.log(moved / close)[each.first : each.last + 1]
        local = np.diff(np.log(close[each.first - 60 : each.first])).std()
        if each.kind == "fat_finger":
            assert 10 <= abs(apart[0]) / local <= 30 and apart[1] == pytest.approx(0, abs=1e-12)
        elif each.kind == "flash_crash":
            assert -60 <= apart.min() / local <= -20 and apart[-1] == pytest.approx(0, abs=1e-12) and len(apart) == 15
        else:
            assert len(set(moved[each.first - 1 : each.last])) == 1 and moved[each.last] == close[each.last]


def test_bars_outside_of_faults_are_as_they_were_and_all_bars_hold_together():
    """A change elsewhere would be an anomaly without a label; a high below the close would be another one."""
    true, (changed, faults) = bars(), with_faults(bars(), SINCE, 4, 8)
    outside = np.ones(BARS, bool)
    for each in faults:
        outside[each.first : each.last + 1] = False
    for name in ("open", "high", "low", "close"):
        assert np.array_equal(changed[name].to_numpy()[outside], true[name].to_numpy()[outside])
    ends = np.stack([changed["open"].to_numpy(), changed["close"].to_numpy()])
    assert (changed["high"].to_numpy() >= ends.max(axis=0)).all()
    assert (changed["low"].to_numpy() <= ends.min(axis=0)).all()
    assert min(each.first for each in faults) >= SINCE
    starts = sorted(faults, key=lambda each: each.first)
    assert all(b.first - a.last >= 60 for a, b in pairwise(starts))


def test_a_seed_draws_its_own_faults_and_draws_them_again():
    """Three seeds are three draws; a figure can be had twice."""
    first, again, other = (with_faults(bars(), SINCE, 4, seed)[1] for seed in (7, 7, 8))
    assert first == again != other
    with pytest.raises(ValueError, match="no room for 60 faults"):
        with_faults(bars(), SINCE, 20, 7)


@pytest.mark.parametrize("name", BAR_RULES)
def test_a_rule_knows_nothing_of_later_bars(name):
    """It would be no alarm but a look back."""
    returns = np.random.default_rng(2).standard_t(4, 1_000) * 1e-4
    assert np.array_equal(BAR_RULES[name](returns)[:700], BAR_RULES[name](returns[:700]))


def test_the_jump_rule_is_not_deceived_by_the_jump_before():
    """That is what bipower variation is for: behind one jump, an exponential average is deaf."""
    returns = np.random.default_rng(3).normal(0, 1e-4, 1_000)
    returns[[600, 610]] = 2e-3
    jump, ewma = (BAR_RULES[name](returns) for name in ("jump_rule", "ewma_rule"))
    assert jump[610] > 0.75 * jump[600] > 10
    assert ewma[610] < 0.5 * ewma[600]


def test_alarms_close_together_are_one_and_the_threshold_allows_as_many_as_asked():
    """People get an alarm, not a bar; the threshold is the lowest that keeps the promise."""
    scores = np.zeros(100)
    scores[[10, 12, 30, 60]] = [5.0, 9.0, 7.0, 6.0]
    assert alarms(scores, 4.0).tolist() == [10, 30, 60]
    assert threshold_for(scores, 3) == 0.0
    assert len(alarms(scores, threshold_for(scores, 2))) <= 2
    assert threshold_for(scores, 0) == 9.0
    assert threshold_for(scores, 0, [Fault("fat_finger", 10, 12)]) == 0.0, "all lie in the fault or in the hour behind it"
    assert threshold_for(np.ones(9), 1) == 1.0, "what cannot be told apart alarms never"


def test_a_fault_is_found_by_any_of_its_bars_and_by_those_shortly_behind_it():
    """And an alarm inside of a fault, or while volatility is still moved by it, is not a false one."""
    scores = np.zeros(300)
    scores[[22, 50, 200]] = 1.0
    faults = [Fault("fat_finger", 18, 19), Fault("stale_feed", 90, 110)]
    assert found_faults(scores, 0.5, faults).tolist() == [True, False]
    assert false_alarms(scores, 0.5, faults) == 1


def test_the_protocol_finds_jumps_by_the_network_and_stale_feeds_by_the_rule(tmp_path):
    """Each detector finds what it is for, at about the promised number of false alarms."""
    protocol = msgspec.structs.replace(
        read_protocol("minute-bars").protocol, map=_mapping(tmp_path), candidates=("return_forecast",), seeds=(7,),
        resamples=100, faults_of_each=4, false_alarms_a_day=3.0,
    )  # fmt: skip
    assert isinstance(protocol, BarAlarms)
    bars().write_parquet(tmp_path / "bars.parquet")
    found = {each.baseline: each for each in protocol.run(Ground((tmp_path / "bars.parquet",), ""), "minutes", "0" * 64)}
    said = found["stale_rule"].statistics
    assert said["recall_fat_finger"] == 1 and said["recall_flash_crash"] >= 0.75
    assert said["baseline_recall_stale_feed"] == 1 and said["baseline_recall_fat_finger"] == 0
    assert said["false_alarms_a_day_by_it"] < 9
    assert found["ewma_rule"].positives == 12
    wrong = msgspec.structs.replace(protocol, baselines=("rule_x",))
    with pytest.raises(TrainingRefused, match="rule_x is unknown; known are ewma_rule"):
        wrong.run(Ground((tmp_path / "bars.parquet",), ""), "wrong", "0" * 64)


def _mapping(folder: Path) -> str:
    path = folder / "bars.toml"
    path.write_text('event = "Bar"\nsame_names = true\n[time]\ncolumn = "occurred_at_ms"\n')
    return str(path)
