"""Ways to train, side by side on one bundle's data: `python -m training.variants` writes docs/training-variants.md.

Every variant is the same loop with other settings, on the same rows. What is compared is the error on the test part,
which is later in time than everything a variant saw, paired by entity with that of the defaults.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from scoring.catalog import scorers
from scoring.files import read_events
from scoring.files.mapping import IDENTITY
from scoring.scorer import Scorer
from training.config import TrainingConfig
from training.dataset import Dataset, collect
from training.loop import Curve, seed_everything
from training.making import part_of, split_of
from training.plots import curves_plot
from training.protocols.outcome import verdict_of
from training.protocols.paired import Figure, Paired, compare
from training.shipped import DATA
from training.split import Split, split_by_time
from training.trainer import Trained, trainer_named

SCORER, FILE = "payment_anomaly", "payments_train.parquet"
MOST_ROWS, EPOCHS, RESAMPLES = 16_000, 60, 2_000
HOME = Path(__file__).parent.parent / "docs"
PAGE, PLOT = HOME / "training-variants.md", HOME / "img" / "variants.svg"
DEFAULT = "defaults"
FOLDS = 3


@dataclass(frozen=True)
class Variant:
    """Settings that differ from the defaults, and what they are in the field's words."""

    name: str
    about: str
    changes: Mapping[str, Any]


_STEADY = {"schedule": "constant", "warm_up_share": 0.0}
VARIANTS = (
    Variant(DEFAULT, "mini-batches of 512, AdamW, cosine schedule, clipping, noise, hidden inputs, early stopping", {}),
    Variant(
        "plain", "gradient descent: one step per pass over all rows",
        {"optimiser": "sgd", "momentum": 0.0, "batch_rows": MOST_ROWS, "learning_rate": 0.3, **_STEADY},
    ),
    Variant(
        "stochastic", "stochastic gradient descent: 8 rows a step",
        {"optimiser": "sgd", "momentum": 0.0, "batch_rows": 8, "learning_rate": 0.02, **_STEADY},
    ),
    Variant(
        "mini-batch", "gradient descent by mini-batches of 512",
        {"optimiser": "sgd", "momentum": 0.0, "learning_rate": 0.3, **_STEADY},
    ),
    Variant(
        "momentum", "mini-batches with momentum 0.9",
        {"optimiser": "sgd", "momentum": 0.9, "learning_rate": 0.1, **_STEADY},
    ),
    Variant("adaptive rate", "Adam without schedule or decay", {"optimiser": "adam", "weight_decay": 0.0, **_STEADY}),
    Variant("no clipping", "the gradient's norm is not bounded", {"gradient_clip": 1e9}),
    Variant("smaller model", "widths 32 and 16 instead of 64 and 16", {"widths": (32, 16)}),
    Variant("larger model", "widths 128 and 32", {"widths": (128, 32)}),
    Variant("more regularisation", "dropout 0.2 and weight decay 0.01", {"dropout": 0.2, "weight_decay": 1e-2}),
    Variant("no augmentation", "no noise, no hidden inputs", {"noise": 0.0, "feature_dropout": 0.0}),
    Variant("no early stopping", "all passes are made", {"patience": 10_000}),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tried:
    """A variant that was trained.

    Attributes:
        errors: squared error of each test row, float64[n].
    """

    variant: Variant
    curve: Curve
    errors: NDArray[np.float64]
    seconds: float


def try_variants(
    scorer: Scorer, dataset: Dataset, variants: Sequence[Variant], told: Callable[[str], None]
) -> list[Tried]:
    """Trains every variant on the same train part and takes its errors on the same test part."""
    config = _config(scorer)
    split = split_of(dataset, scorer, config)
    tried = []
    for variant in variants:
        told(variant.name)
        began = time.perf_counter()
        trained = _trained(scorer, dataset, split, msgspec.structs.replace(config, **variant.changes))
        seconds = time.perf_counter() - began
        assert trained.curve is not None  # the trainer of the scorer trains by steps
        tried.append(Tried(variant, trained.curve, _errors(trained, dataset, split), seconds))
    return tried


def cross_validated(scorer: Scorer, dataset: Dataset, folds: int) -> list[float]:
    """Mean test error of the defaults by forward chaining: each fold's test part comes after all it learned from."""
    config, found = _config(scorer), []
    for fold in range(folds):
        learned = 0.4 + 0.4 * fold / folds
        split = split_by_time(dataset.occurred_at_ms, train_share=learned, validation_share=0.1, gap_ms=0)
        end = int(len(split.test) * 0.4 / folds / (0.9 - learned))
        split = Split(split.train, split.validation, split.test[: max(end, 50)], split.bounds_ms)
        found.append(float(_errors(_trained(scorer, dataset, split, config), dataset, split).mean()))
    return found


def page_of(tried: Sequence[Tried], folds: Sequence[float], entity: NDArray[np.int64], rows: int) -> str:
    """The page as Markdown."""
    base = tried[0]
    lines = [
        "# Ways to train, compared",
        "",
        f"All are settings of one loop (`training/loop.py`, `training/config.py`), on the same {rows:,} rows of the",
        f"shipped `{FILE}`, for `{SCORER}`, at most {EPOCHS} passes. The error is that of rebuilding the test part,",
        f"in squared standard deviations; it is later than everything seen. Differences to `{DEFAULT}` are paired, with",
        f"95 % intervals over accounts ({RESAMPLES:,} resamples). Less is better. One seed; seconds are of one core.",
        "",
        "A smaller error is not yet a better detector: an autoencoder that copies what it is shown rebuilds anomalies",
        "too. Noise and hidden inputs cost error and are there against that.",
        "",
        "Made by `python -m training.variants`.",
        "",
        "| variant | what it is | error | difference to the defaults | | passes | seconds |",
        "| --- | --- | ---: | ---: | --- | ---: | ---: |",
    ]
    for each in tried:
        paired = _paired(each.errors, base.errors, entity)
        low, high = paired.difference_ci95
        apart = "" if each is base else f"{paired.difference:+.4f} ({low:+.4f} to {high:+.4f})"
        said = "" if each is base else verdict_of(paired.difference_ci95, more_is_better=False)
        lines.append(
            f"| {each.variant.name} | {each.variant.about} | {paired.value:.4f} | {apart} | {said} | "
            f"{len(each.curve.train)} | {each.seconds:.0f} |"
        )
    lines += [
        "",
        f"Cross-validation by forward chaining, {len(folds)} folds of the defaults: errors "
        + ", ".join(f"{error:.4f}" for error in folds)
        + f"; standard deviation {np.std(folds, ddof=1):.4f}. A difference well below it says little about other months.",
        "",
        "![Validation loss by pass](img/variants.svg)",
        "",
    ]
    return "\n".join(lines)


def _config(scorer: Scorer) -> TrainingConfig:
    return msgspec.structs.replace(trainer_named(scorer.trainer).defaults, most_rows=MOST_ROWS, epochs=EPOCHS)


def _trained(scorer: Scorer, dataset: Dataset, split: Split, config: TrainingConfig) -> Trained:
    trainer = trainer_named(scorer.trainer)
    seed_everything(config.seed)
    part = part_of(dataset, split.train, split.validation, trainer, config)
    return trainer.fit(scorer.view, part, config, lambda *_: None)


def _errors(trained: Trained, dataset: Dataset, split: Split) -> NDArray[np.float64]:
    errors: NDArray[np.float64] = trained.squared_error(dataset.rows.take(split.test), None).astype(np.float64)
    return errors


def _paired(errors: NDArray[np.float64], base: NDArray[np.float64], entity: NDArray[np.int64]) -> Paired:
    return compare([_mean(errors)], [_mean(base)], [entity], resamples=RESAMPLES, seed=7)


def _mean(values: NDArray[np.float64]) -> Figure:
    return lambda weights: float((weights * values).sum() / weights.sum())


def main() -> None:
    """Trains all variants and writes the page and its plot."""
    scorer = scorers()[SCORER]
    dataset = collect(scorer.view, read_events([DATA / FILE], IDENTITY, scorer.event), with_history=False)
    tried = try_variants(scorer, dataset, VARIANTS, lambda said: print(said, file=sys.stderr))
    split = split_of(dataset, scorer, _config(scorer))
    folds = cross_validated(scorer, dataset, FOLDS)
    rows = min(MOST_ROWS, len(split.train))
    PAGE.write_text(page_of(tried, folds, dataset.entity[split.test], rows), encoding="utf-8")
    PLOT.write_text(curves_plot([(each.variant.name, each.curve.validation) for each in tried]), encoding="utf-8")


if __name__ == "__main__":
    main()
