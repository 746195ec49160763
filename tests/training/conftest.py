"""Small seeded payments and ticks, one bundle per trainer made from them, all on one thread."""

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

from scoring.catalog import scorers
from scoring.files import read_events
from scoring.files.mapping import IDENTITY
from training.dataset import Dataset, collect
from training.making import Made, Origin, make_bundle
from training.trainer import trainer_named

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
QUIET = lambda epoch, trained, validated: None  # noqa: E731 - a report that reports nothing


def payments(seed: int = 3, accounts: int = 40, days: int = 50) -> pl.DataFrame:
    """About two payments a day and account, by day, each account around an amount of its own."""
    generator = np.random.default_rng(seed)
    rows = []
    for account in range(accounts):
        usual = float(generator.lognormal(3.5, 0.6))
        for day in range(days):
            for _ in range(int(generator.poisson(1.5))):
                at = START_MS + day * 24 * HOUR_MS + int(generator.normal(14, 1.5) * HOUR_MS)
                amount = round(usual * float(generator.lognormal(0, 0.35)), 2)
                merchant = f"m{generator.integers(0, 6)}"
                country = "FR" if generator.random() < 0.003 else "DE"
                rows.append((at, f"a{account}", amount, "EUR", merchant, country))
    names = ["occurred_at_ms", "account_id", "amount", "currency", "merchant_id", "country"]
    frame = pl.DataFrame(rows, schema=names, orient="row").sort("occurred_at_ms", maintain_order=True)
    return frame.with_columns(event_id=pl.int_range(pl.len()).cast(pl.String))


def ticks(seed: int = 4, symbols: int = 4, days: int = 500) -> pl.DataFrame:
    """Daily prices of random walks whose volatility wanders."""
    generator = np.random.default_rng(seed)
    rows = []
    for symbol in range(symbols):
        price, volatility = 50.0, 0.01
        for day in range(days):
            volatility = float(np.clip(volatility * generator.lognormal(0, 0.1), 0.004, 0.04))
            price *= float(np.exp(generator.normal(0, volatility)))
            rows.append((f"{symbol}-{day}", START_MS + day * 24 * HOUR_MS, f"S{symbol}", round(price, 4)))
    frame = pl.DataFrame(rows, schema=["event_id", "occurred_at_ms", "symbol", "price"], orient="row")
    return frame.sort("occurred_at_ms", maintain_order=True)


@pytest.fixture(scope="session")
def payments_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The payments as Parquet."""
    path = tmp_path_factory.mktemp("payments") / "payments.parquet"
    payments().write_parquet(path)
    return path


@pytest.fixture(scope="session")
def ticks_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ticks as Parquet."""
    path = tmp_path_factory.mktemp("ticks") / "ticks.parquet"
    ticks().write_parquet(path)
    return path


def dataset_of(scorer: str, path: Path) -> Dataset:
    """The data set of a scorer from a file whose columns are fields."""
    view = scorers()[scorer].view
    return collect(view, read_events([path], IDENTITY, view.event), with_history=True)


TRAINERS = {"payment_attention": "attention"}
"""Others than the declared ones: `attention_own` has tests of its own."""


def made_from(scorer: str, path: Path, home: Path, **changed) -> Made:
    """A quickly trained bundle of a scorer, with its configuration changed."""
    declared = scorers()[scorer]
    quick = {"epochs": 8, "batch_rows": 128, "widths": (16,) if scorer != "payment_anomaly" else (32, 16)}
    trainer = TRAINERS.get(scorer, declared.trainer)
    config = msgspec.structs.replace(trainer_named(trainer).defaults, **(quick | changed))
    origin = Origin((path.name,), "made up")
    return make_bundle(declared, dataset_of(scorer, path), origin, config, QUIET, home, trainer_name=trainer)


SCORERS = ("payment_anomaly", "payment_attention", "tick_anomaly")


@pytest.fixture(scope="session")
def bundles(
    payments_file: Path, ticks_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Made]:
    """One bundle per shipped scorer, by name."""
    home = tmp_path_factory.mktemp("bundles")
    files = dict.fromkeys(SCORERS, payments_file) | {"tick_anomaly": ticks_file}
    return {scorer: made_from(scorer, path, home / scorer) for scorer, path in files.items()}
