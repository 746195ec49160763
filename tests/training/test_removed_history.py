"""What the past is worth: rows without it are those of entities that nobody knows yet."""

import numpy as np
import polars as pl
import pytest

from scoring.catalog import scorers, views
from scoring.files import read_events
from scoring.files.mapping import IDENTITY
from training.dataset import collect
from training.loop import seed_everything
from training.making import Origin, make_bundle
from training.removed_history import rows_alone
from training.trainer import trainer_named

pytestmark = pytest.mark.training

SCORER = scorers()["card_default"]


def months(accounts: int) -> pl.DataFrame:
    """Six months of each account; a label of 1 where the first month was paid late, which the last does not show."""
    generator = np.random.default_rng(2)
    late = generator.random(accounts) < 0.4
    rows = []
    for month in range(6):
        for account in range(accounts):
            rows.append(
                {
                    "event_id": f"{account}-{month}", "account_id": f"a{account}",
                    "occurred_at_ms": 1_700_000_000_000 + 30 * 86_400_000 * month,
                    "credit_limit": 1_000.0, "billed": float(generator.integers(1, 900)), "paid": 10.0,
                    "sex": 1.0 + account % 2, "repayment_status": 3.0 if late[account] and month == 1 else 0.0,
                    "defaulted": int(late[account]) if month == 5 else None,
                }
            )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


@pytest.fixture
def file(tmp_path):
    """The months as a file."""
    months(400).write_parquet(tmp_path / "months.parquet")
    return tmp_path / "months.parquet"


def test_an_event_alone_is_the_first_of_its_entity(file):
    """Its windows hold it and nothing else, and it is the row that was asked for."""
    view = views()["account_months"]
    whole = collect(view, read_events([file], IDENTITY, view.event), with_history=True)
    places = np.array([3, 405, 2_399])
    bare = rows_alone(view, read_events([file], IDENTITY, view.event), places, with_history=True)
    names = list(view.feature_names)
    billed, mean = names.index("billed"), names.index("billed_mean_165d")
    assert bare.lengths.tolist() == [1, 1, 1]
    assert (bare.features[:, billed] == whole.rows.features[places, billed]).all()
    assert (bare.features[:, mean] == bare.features[:, billed]).all()
    assert whole.rows.features[2_399, mean] != whole.rows.features[2_399, billed]


def test_a_bundle_says_what_its_score_loses_without_the_past(file, tmp_path):
    """The label hangs on a month long ago: with it the model knows, alone it guesses; the card says both."""
    import msgspec

    mapping = msgspec.structs.replace(IDENTITY, label="defaulted", label_delay="1d", protected=("sex",))
    trainer = trainer_named("tabular")
    config = msgspec.structs.replace(trainer.defaults, epochs=15, widths=(32, 32), watch=0.3, alert=0.5)

    def chunks():
        return read_events([file], mapping, SCORER.event)

    seed_everything(7)
    dataset = collect(SCORER.view, chunks(), with_history=False)
    kept = dict(rows=dataset.rows, labels=dataset.labels)
    assert kept["labels"] is not None and (kept["labels"] == 1).any()
    made = make_bundle(SCORER, dataset, Origin(("drawn",), "made up"), config, lambda *_: None, tmp_path, again=chunks)
    found = made.bundle.manifest.metrics["removed_history"]
    assert found["auc"][0] > 0.95 and abs(found["auc_alone"][0] - 0.5) < 0.15
    assert found["auc_difference"][1] > 0.2
    card = (made.bundle.folder / "card.html").read_text()
    assert "What the past is worth" in card
    assert made.bundle.manifest.protected == ("sex",)
    assert made.bundle.manifest.permitted_use == SCORER.use and SCORER.use in card
