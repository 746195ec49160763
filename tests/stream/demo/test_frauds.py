"""The injected frauds: marked, reproducible, on real accounts with a history, and apart from training."""

import json
from pathlib import Path

import polars as pl
import pytest

import stream.demo.frauds as frauds
from training.config import TrainingConfig

ROOT = Path(__file__).parents[3]
DATA = ROOT / "stream/demo/data"
EPISODES = 24


@pytest.fixture(scope="module")
def real() -> pl.DataFrame:
    return pl.read_parquet(DATA / "payments_demo.parquet")


@pytest.fixture(scope="module")
def injected(real: pl.DataFrame) -> pl.DataFrame:
    together, ids = frauds.inject(real, frauds.DEMO_SEED, EPISODES)
    return together.filter(pl.col("event_id").is_in(list(ids)))


def test_the_same_seed_injects_the_same_frauds(real: pl.DataFrame) -> None:
    """The demo's summary can be compared from run to run only when its input is the same."""
    first, second = (frauds.inject(real, 3, 8) for _ in range(2))
    assert first[0].equals(second[0])
    assert first[1] == second[1]
    assert frauds.inject(real, 4, 8)[1] != first[1] or not frauds.inject(real, 4, 8)[0].equals(first[0])


def test_no_real_payment_is_changed_or_lost(real: pl.DataFrame) -> None:
    """What is shown as real is real: injection only adds rows, and every added row carries the mark."""
    together, ids = frauds.inject(real, frauds.DEMO_SEED, EPISODES)
    marked = pl.col("event_id").str.starts_with(frauds.PREFIX)
    assert together.filter(~marked).equals(real)
    assert set(together.filter(marked)["event_id"]) == set(ids)
    assert len(set(ids)) == len(ids)


def test_the_result_is_in_order_of_event_time(real: pl.DataFrame) -> None:
    """The demo feeds rows as they stand; a fraud out of order would be late rather than suspicious."""
    together, _ = frauds.inject(real, frauds.DEMO_SEED, EPISODES)
    assert together["occurred_at_ms"].is_sorted()


def test_each_kind_appears_equally_often(injected: pl.DataFrame) -> None:
    """A share of found frauds says something only when no easy kind outweighs the others."""
    episodes = {frauds.episode_of(event_id) for event_id in injected["event_id"]}
    kinds = [str(episode).split("-")[2] for episode in episodes]
    assert {kind: kinds.count(kind) for kind in frauds.KINDS} == dict.fromkeys(frauds.KINDS, EPISODES // 4)


def test_a_fraud_follows_enough_history_of_its_own_account(
    real: pl.DataFrame, injected: pl.DataFrame
) -> None:
    """Without a history there is nothing a payment could deviate from, so finding it would be luck."""
    for (account,), rows in injected.partition_by("account_id", as_dict=True).items():
        begin = rows["occurred_at_ms"].min()
        earlier = real.filter((pl.col("account_id") == account) & (pl.col("occurred_at_ms") < begin))
        assert (earlier["amount"] > 0).sum() >= frauds.LEAST_HISTORY


def test_an_account_carries_one_episode_at_most(injected: pl.DataFrame) -> None:
    """Two frauds on one account would let the alert of one count for the other."""
    episodes = injected.with_columns(episode=pl.col("event_id").map_elements(frauds.episode_of, pl.String))
    assert episodes.group_by("account_id").agg(pl.col("episode").n_unique())["episode"].max() == 1


def test_the_kinds_look_as_described(real: pl.DataFrame, injected: pl.DataFrame) -> None:
    """The documentation tells what was injected; this holds it to that."""
    for row in injected.iter_rows(named=True):
        kind = row["event_id"].split("-")[2]
        own = real.filter(pl.col("account_id") == row["account_id"])
        if kind == "refunds":
            assert row["amount"] < 0
        else:
            assert row["amount"] > 0
        if kind == "abroad":
            earlier = own.filter(pl.col("occurred_at_ms") < row["occurred_at_ms"])
            assert row["country"] not in set(earlier["country"])
    takeovers = injected.filter(pl.col("event_id").str.contains("takeover"))
    sizes = takeovers.group_by(pl.col("event_id").map_elements(frauds.episode_of, pl.String)).agg(
        events=pl.len(), span_ms=pl.col("occurred_at_ms").max() - pl.col("occurred_at_ms").min()
    )
    assert sizes["events"].is_between(5, 8).all()
    assert (sizes["span_ms"] <= 30 * frauds.MINUTE_MS).all()


def test_asking_for_more_frauds_than_accounts_says_how_many_there_are(real: pl.DataFrame) -> None:
    """The remedy is in the message: ask for fewer, or give more payments."""
    with pytest.raises(ValueError, match=r"only \d+ accounts"):
        frauds.inject(real.head(500), 1, 200)


def test_the_seed_of_the_demo_is_used_in_no_training() -> None:
    """A model that had seen the demo's frauds would find them for the wrong reason."""
    assert TrainingConfig().seed == frauds.TRAINING_SEED
    assert frauds.DEMO_SEED != frauds.TRAINING_SEED
    manifests = sorted((ROOT / "scoring/bundles").glob("*/manifest.json"))
    for path in manifests:
        assert json.loads(path.read_text())["training"]["seed"] != frauds.DEMO_SEED, path
