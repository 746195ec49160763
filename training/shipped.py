"""Trains the bundles that ship, from the data that ships: `python -m training.shipped`, or `make train`."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

import scoring.bundles
from scoring.catalog import scorers
from scoring.files import Chunk, read_events, read_mapping
from scoring.files.mapping import IDENTITY, Mapping
from training.dataset import collect
from training.errors import TrainingRefused
from training.making import Origin, make_bundle
from training.market.drawn_portfolios import Drawn, drawn_weights
from training.market.portfolios import returns_of
from training.market.realised import variances_of
from training.progress import training_progress
from training.simulated_cards import simulated_cards
from training.trainer import trainer_named

DATA = Path(__file__).parent.parent / "stream" / "demo" / "data"
SEED = 7
MOST_BYTES = 1_500_000
POLISH = "S. Tomczak, Polish companies bankruptcy, UCI 365, doi 10.24432/C5F600, year 1, 2,400 companies"
TAIWAN = "I-C. Yeh, default of credit card clients, UCI 350, doi 10.24432/C55S3H, rows 1 to 19,200"
NUMENTA = "Copyright 2014-2024 Numenta Inc., Numenta Anomaly Benchmark, 35 series of four groups"


@dataclass(frozen=True)
class Shipped:
    """What a shipped bundle is trained on: a file of the demo's data, never one that the demo feeds, or a simulation.

    Attributes:
        licence: of the data, with the attribution it asks for.
        mapping: reads the file.
        drawn: makes the events from a seed where no file has them as they are; `data` then names where they come from.
    """

    scorer: str
    data: str
    licence: str
    mapping: Mapping = IDENTITY
    drawn: Callable[[int], pl.DataFrame] | None = None


CLOSES_AS_BARS = Mapping(
    about="ticks at the close as daily bars", fields=("close=price", "period='1d'"), same_names=True, time=IDENTITY.time
)
FRAUDS = msgspec.structs.replace(
    IDENTITY, sort=True, label="fraud", label_delay="7d", chargebacks=True, name="simulated_cards"
)


def weekly_variances(_: int) -> pl.DataFrame:
    """Realised variances of weeks, from the shipped daily closes."""
    closes = pl.read_parquet(DATA / "closes_train.parquet").rename({"price": "close"})
    return variances_of(closes, "7d").sort("occurred_at_ms", "symbol")


def portfolio_returns(seed: int) -> pl.DataFrame:
    """Daily returns of portfolios drawn from the shipped shares, from their shipped closes."""
    closes = pl.read_parquet(DATA / "closes_train.parquet").rename({"price": "close"})
    drawn = Drawn(seed=seed, long_only=11, long_short=8, members=(3, 8))
    return returns_of(closes, drawn_weights(closes["symbol"].unique().to_list(), drawn), "1d")


SHIPPED = (
    Shipped("payment_anomaly", "payments_train.parquet", "CC0-1.0"),
    Shipped("payment_attention", "payments_train.parquet", "CC0-1.0"),
    Shipped("payment_merchant", "transfers_train.parquet", "Apache-2.0"),
    Shipped("payment_fraud", "simulated_cards", "CC0-1.0", FRAUDS, simulated_cards),
    Shipped("tick_anomaly", "closes_train.parquet", "BSD-3-Clause"),
    Shipped("bar_volatility", "closes_train.parquet", "BSD-3-Clause", CLOSES_AS_BARS),
    Shipped("feed_staleness", "closes_train.parquet", "BSD-3-Clause", CLOSES_AS_BARS),
    Shipped("portfolio_risk", "closes_train.parquet", "BSD-3-Clause", drawn=portfolio_returns),
    Shipped("company_default", "statements_train.parquet", f"CC-BY-4.0; {POLISH}", read_mapping("polish_bankruptcy")),
    Shipped("series_anomaly", "series_train.parquet", f"MIT; {NUMENTA}", read_mapping("nab_series")),
    Shipped("realised_variance", "closes_train.parquet", "BSD-3-Clause", drawn=weekly_variances),
    Shipped("card_default", "cards_train.parquet", f"CC-BY-4.0; {TAIWAN}", read_mapping("uci_card_default")),
)


def train_shipped(each: Shipped, home: Path) -> str:
    """Trains one bundle into `home/<scorer>/` in place of the one that is there, and gives back its digest.

    Raises:
        TrainingRefused: the data does not allow it, or the bundle is larger than may ship.
    """
    scorer = scorers()[each.scorer]
    trainer = trainer_named(scorer.trainer)
    config = msgspec.structs.replace(
        trainer.defaults, seed=SEED, watch=scorer.policy.watch, alert=scorer.policy.alert
    )
    with tempfile.TemporaryDirectory() as folder, training_progress(config.epochs, hidden=False) as report:
        file = DATA / each.data
        if each.drawn is not None:
            file = Path(folder) / "drawn.parquet"
            each.drawn(SEED).write_parquet(file)

        def chunks() -> Iterator[Chunk]:
            return read_events([file], each.mapping, scorer.event)

        dataset = collect(scorer.view, chunks(), with_history="history" in trainer.inputs)
        made = make_bundle(
            scorer, dataset, Origin((each.data,), each.licence), config, report, Path(folder) / "made",
            faithfulness=True, again=chunks,
        )  # fmt: skip
        size = sum(path.stat().st_size for path in made.bundle.folder.iterdir())
        if size > MOST_BYTES:
            raise TrainingRefused(f"bundle of {each.scorer} has {size} bytes; at most {MOST_BYTES} may ship")
        target = home / each.scorer
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made.bundle.folder, target)
    return made.bundle.digest


def main(names: Sequence[str]) -> None:
    """Trains the named shipped bundles, or all of them."""
    home = Path(next(iter(scoring.bundles.__path__)))
    for each in SHIPPED:
        if not names or each.scorer in names:
            print(f"{each.scorer}: {train_shipped(each, home)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
