"""Week by week: what is learned from was known, who is known is not judged on, and features know no later truth."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from scoring.catalog import scorers
from scoring.files import read_events, read_mapping
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.protocols.log import Log, log_of
from training.protocols.methods.prequential import (
    DAY_MS,
    Cut,
    Prequential,
    cuts_of,
    held_out,
    learning_rows,
)
from training.protocols.methods.prequential import (
    test_rows as judged_rows,
)
from training.protocols.plain_rules import amount_or_merchant_risk, merchant_fraud_rate
from training.protocols.protocol import Ground, read_protocol

pytestmark = pytest.mark.training

START_MS = 19_000 * DAY_MS
WEEK_MS = 7 * DAY_MS
SCORER = scorers()["payment_fraud"]
CUT = Cut(0, WEEK_MS, 2 * WEEK_MS, 3 * WEEK_MS)


def payments(seed: int = 3, cards: int = 400, days: int = 30) -> pl.DataFrame:
    """Half a payment a day and card; one in twenty-five is fraud, and large."""
    generator = np.random.default_rng(seed)
    rows = round(0.5 * cards * days)
    fraud = generator.random(rows) < 0.04
    at = np.sort(generator.integers(0, days * DAY_MS, rows)) + START_MS
    times = (at // 1_000 * 1_000).astype("datetime64[ms]")
    return pl.DataFrame(
        {
            "TRANSACTION_ID": np.arange(rows), "TX_DATETIME": times,
            "CUSTOMER_ID": generator.integers(0, cards, rows), "TERMINAL_ID": generator.integers(0, 30, rows),
            "TX_AMOUNT": np.round(generator.lognormal(3, 0.3, rows) * np.where(fraud, 4, 1), 2), "TX_FRAUD": fraud,
        }
    )  # fmt: skip


def written(frame: pl.DataFrame, folder: Path) -> Path:
    """The payments as a file."""
    frame.write_parquet(folder / "payments.parquet")
    return folder / "payments.parquet"


def folded(file: Path) -> tuple[Log, Dataset]:
    """The log with its chargebacks, and the features of every event."""
    mapping = read_mapping("handbook_chargebacks")
    chunks = list(read_events([file], mapping, SCORER.event))
    log = log_of(chunks, "account_id", mapping.label_delay_ms)
    return log, collect(SCORER.view, chunks, with_history=False)


def drawn_log(seed: int = 1, rows: int = 400) -> Log:
    """Events of three weeks at random."""
    generator = np.random.default_rng(seed)
    return Log(
        occurred_at_ms=np.sort(generator.integers(0, 3 * WEEK_MS, rows)), entity=generator.integers(0, 40, rows),
        amount=generator.lognormal(4, 1, rows), merchant=generator.integers(-1, 8, rows),
        labels=generator.choice(np.array([-1, 0, 1], np.int8), rows, p=[0.1, 0.6, 0.3]), delay_ms=WEEK_MS,
    )  # fmt: skip


def test_nothing_is_learned_whose_label_is_not_known_when_the_test_begins():
    """A label from the future makes any model look good."""
    log = drawn_log()
    learned = learning_rows(log, CUT)
    assert learned.any()
    assert (log.occurred_at_ms[learned] + log.delay_ms <= CUT.test_from_ms).all()
    slow = replace(log, delay_ms=10 * DAY_MS)
    assert log.occurred_at_ms[learning_rows(slow, CUT)].max() <= 4 * DAY_MS
    held = held_out(log, CUT, 0.3, seed=7)
    assert held.any() and not (held & ~learned).any()
    assert not set(log.entity[held]) & set(log.entity[learned & ~held])


def test_cards_known_to_be_compromised_are_not_judged_on():
    """Their frauds would be easy; the bank has stopped them. As the handbook does it, day by day."""
    log = drawn_log()
    kept = set(judged_rows(log, CUT).tolist())
    for row in range(len(log.entity)):
        day = log.occurred_at_ms[row] // DAY_MS * DAY_MS
        struck = (log.entity == log.entity[row]) & (log.labels == 1)
        known = (struck & (log.occurred_at_ms + log.delay_ms <= day)).any()
        inside = CUT.test_from_ms <= log.occurred_at_ms[row] < CUT.test_to_ms
        assert (row in kept) == bool(inside and log.labels[row] >= 0 and not known)
    assert 0 < len(kept) < ((log.occurred_at_ms >= CUT.test_from_ms) & (log.labels >= 0)).sum()


def test_a_merchants_fraud_rate_is_counted_with_its_delay():
    """Against the definition, row by row."""
    log = drawn_log()
    found = merchant_fraud_rate(log, WEEK_MS)
    for row, at in enumerate(log.occurred_at_ms):
        until = at - log.delay_ms
        seen = (log.merchant == log.merchant[row]) & (log.labels >= 0) & (log.occurred_at_ms <= until)
        seen &= log.occurred_at_ms > until - WEEK_MS
        expected = (log.labels[seen] == 1).mean() if seen.any() and log.merchant[row] >= 0 else 0.0
        assert found[row] == pytest.approx(expected, abs=1e-12)
    assert found.max() > 0
    rule = amount_or_merchant_risk(log)
    assert (rule[log.amount > 220] == 1).all()
    assert (rule[log.amount <= 220] == found[log.amount <= 220]).all()


def test_a_fraud_reaches_no_feature_before_its_label_is_known(tmp_path):
    """Features with and without the labels of the last week are the same: they know none of them."""
    frame = payments()
    last = pl.col("TX_DATETIME") >= frame["TX_DATETIME"].max() - pl.duration(days=7)
    (tmp_path / "blind").mkdir()
    log, dataset = folded(written(frame, tmp_path))
    hidden = frame.with_columns(TX_FRAUD=pl.col("TX_FRAUD") & ~last)
    _, blind = folded(written(hidden, tmp_path / "blind"))
    until = int(log.occurred_at_ms[log.labels >= 0].max())
    seen = [each.rows.features[each.occurred_at_ms <= until] for each in (dataset, blind)]
    np.testing.assert_array_equal(*seen)
    counts = dataset.rows.features[:, SCORER.view.feature_names.index("merchant_refund_count_30d")]
    assert counts[dataset.occurred_at_ms < START_MS + WEEK_MS].max() == 0
    assert counts.max() > 3


def test_truncating_the_future_changes_no_past_feature(tmp_path):
    """What came later must not be in what was scored before."""
    frame = payments()
    (tmp_path / "short").mkdir()
    cut_ms = START_MS + 20 * DAY_MS
    _, whole = folded(written(frame, tmp_path))
    short = frame.filter(pl.col("TX_DATETIME").dt.epoch("ms") < cut_ms)
    _, part = folded(written(short, tmp_path / "short"))
    seen = [each.rows.features[each.occurred_at_ms < cut_ms] for each in (whole, part)]
    np.testing.assert_array_equal(*seen)


def small_protocol(tmp_path: Path, **changed: object) -> Prequential:
    """The shipped protocol with one fold and models that are quick."""
    read = read_protocol("cards-prequential").protocol
    assert isinstance(read, Prequential)
    return msgspec.structs.replace(
        read, candidates=("boosting",), baselines=("isolation_forest", "amount_or_merchant_risk"), fold_count=1,
        seeds=(7,), resamples=50, metrics=("auc", "average_precision"), **changed,
    )  # fmt: skip


def area(protocol: Prequential, file: Path) -> float:
    """What boosting reaches."""
    found = protocol.run(Ground((file,), ""), "small", "0" * 64)
    assert {each.baseline for each in found} == set(protocol.baselines)
    return next(each.value for each in found if each.metric == "auc")


def test_shuffled_labels_destroy_the_figure(tmp_path):
    """A figure that stays when labels are shuffled comes from a leak."""
    frame, protocol = payments(), small_protocol(tmp_path)
    assert area(protocol, written(frame, tmp_path)) > 0.9
    shuffled = frame.with_columns(pl.col("TX_FRAUD").shuffle(seed=5))
    assert abs(area(protocol, written(shuffled, tmp_path)) - 0.5) < 0.15


def test_folds_step_back_from_the_last_labelled_day_and_must_fit(tmp_path):
    """Chargebacks come after the last payment; they are no day to be judged on."""
    log, _ = folded(written(payments(), tmp_path))
    protocol = small_protocol(tmp_path)
    (cut,) = cuts_of(log, protocol)
    assert cut == Cut(*(START_MS + day * DAY_MS for day in (9, 16, 23, 30)))
    with pytest.raises(TrainingRefused, match="5 days further back"):
        cuts_of(log, msgspec.structs.replace(protocol, fold_count=3))


def test_labels_that_come_later_than_the_fold_waits_are_refused(tmp_path):
    """A fold that waits three days cannot learn what is known after seven."""
    protocol = small_protocol(tmp_path, delay_days=3)
    with pytest.raises(TrainingRefused, match="make delay_days at least as long"):
        area(protocol, written(payments(), tmp_path))
