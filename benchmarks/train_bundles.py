"""Trains the benchmark's models on its own kind of payments: `python -m benchmarks.train_bundles [SCORER]`; needs torch.

The shipped models know the orders of one web shop, and rightly find a bank's card payments odd: nearly every score
would be an alert with its explanation, which no population that a model was trained for shows. So the benchmark runs
what a user would run: the same scorers, trained by `riskstream train` on payments of its population, drawn with
another seed.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from benchmarks.contestants import SCORER, SHADOW_SCORER
from benchmarks.payments import SPACING_MS, Payments
from benchmarks.plan import BUNDLES, ROOT, Plan

TRAINING_SEED_STEP = 1
DAYS = {SCORER: 45, SHADOW_SCORER: 20}
"""How much each is trained on: the shadow scorer's history takes four times the memory of the features."""

GAP = "1d"
DAY_MS = 86_400_000


def training_payments(plan: Plan, days: int) -> pl.DataFrame:
    """So many days of a population like the plan's, drawn with another seed."""
    payments = Payments(plan.seed + TRAINING_SEED_STEP, plan.accounts)
    return pl.concat(payments.frames(days * DAY_MS // SPACING_MS))


def train(scorer: str) -> None:
    """Trains into `benchmarks/bundles/<scorer>`, in place of the bundle that is there.

    Raises:
        CalledProcessError: the training was refused; it has said why.
    """
    program = (
        "import typer; from training.cli import train; typer.run(train)"  # the command, installed or not
    )
    with tempfile.TemporaryDirectory() as folder:
        events, out = Path(folder) / "payments.parquet", Path(folder) / "bundles"
        training_payments(Plan(), DAYS[scorer]).write_parquet(events)
        arguments = [
            scorer,
            "--events",
            str(events),
            "--out",
            str(out),
            "--gap",
            GAP,
            "--licence",
            "Apache-2.0",
        ]
        subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, check=True)
        (made,) = (out / scorer).iterdir()
        shutil.rmtree(BUNDLES / scorer, ignore_errors=True)
        shutil.copytree(made, BUNDLES / scorer)


def main(names: Sequence[str]) -> None:
    """Trains the named scorers, or both."""
    for scorer in names or DAYS:
        train(scorer)


if __name__ == "__main__":
    main(sys.argv[1:])
