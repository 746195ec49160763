"""What comes out of training: graphs that equal torch, scores that hold for any input, the same digest again."""

import re

import numpy as np
import pytest

from scoring.catalog import scorers
from scoring.model import require_view
from scoring.model.rows import HUGE
from tests.training.conftest import SCORERS, START_MS, dataset_of, made_from, payments
from training.dataset import collect
from training.groups import MIDDLE

pytestmark = pytest.mark.training


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_trained_bundle_fits_its_view_and_does_not_depend_on_batches(bundles, scorer):
    """Padding to multiples of 16 is what makes the second hold; parity with torch is checked while making it."""
    made = bundles[scorer]
    require_view(made.bundle, scorers()[scorer].view)
    assert made.bundle.session.batch_invariant
    assert made.bundle.manifest.metrics["parity"] <= 1e-5


def odd_inputs(scorer: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All missing, huge, zero and mixed rows, with no history, one step and all steps."""
    view = scorers()[scorer].view
    width, steps = len(view.features), view.history.length
    columns = [view.feature_names.index(name) for name in view.history.features]
    mixed = np.where(np.arange(width) % 3 == 0, np.nan, HUGE)
    features = np.array([np.full(width, value) for value in (np.nan, HUGE, -HUGE, 0.0)] + [mixed], np.float32)
    features, lengths = np.repeat(features, 3, axis=0), np.tile([0, 1, steps], 5).astype(np.int32)
    history = np.repeat(features[:, None, columns], steps, axis=1)
    return features, history, lengths


@pytest.mark.parametrize("scorer", SCORERS)
def test_any_input_gives_a_finite_score_in_range(bundles, scorer):
    """The first event of an account, a field in the wrong unit, a lost history: all of them are live traffic."""
    session = bundles[scorer].bundle.session
    inputs = odd_inputs(scorer)
    scores, parts = session.run(*inputs), session.explain(*inputs)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.isfinite(parts).all()


@pytest.mark.parametrize("scorer", SCORERS)
def test_contributions_sum_to_what_the_manifest_promises(bundles, scorer, payments_file, ticks_file):
    """-ln(1 - score), less that of the same event with usual values; reasons are read from them."""
    rows = dataset_of(scorer, ticks_file if scorer == "tick_anomaly" else payments_file).rows.take(slice(200, 700))
    bundle = bundles[scorer].bundle
    parts = bundle.session.explain(rows.features, rows.history, rows.lengths)
    medians = [bundle.manifest.baseline[name][MIDDLE] for name in bundle.manifest.features]
    usual = np.array([np.nan if each is None else each for each in medians], np.float32)
    names = bundle.manifest.history_features
    columns = [bundle.manifest.features.index(name) for name in names]
    plain = np.where(np.isnan(rows.features), np.nan, usual).astype(np.float32), None, rows.lengths
    if rows.history is not None and names:
        history = rows.history.copy()
        last = np.arange(len(rows)), rows.lengths - 1
        history[last] = np.where(np.isnan(history[last]), np.nan, usual[columns])
        plain = plain[0], history, rows.lengths
    scores, least = bundle.session.run(rows.features, rows.history, rows.lengths), bundle.session.run(*plain)
    told = scores < 0.999
    expected = np.log1p(-least.astype(float)) - np.log1p(-scores.astype(float))
    assert told.sum() > 400
    assert parts.sum(axis=1)[told] == pytest.approx(expected[told], rel=1e-3, abs=2e-3)


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_missing_feature_contributes_nothing(bundles, scorer, payments_file, ticks_file):
    """An alert must not give a reason that was not there."""
    rows = dataset_of(scorer, ticks_file if scorer == "tick_anomaly" else payments_file).rows
    parts = bundles[scorer].bundle.session.explain(rows.features, rows.history, rows.lengths)
    assert np.isnan(rows.features).any()
    assert (parts[np.isnan(rows.features)] == 0).all()


@pytest.mark.parametrize("scorer", SCORERS)
def test_later_usual_events_are_alerted_as_often_as_promised(bundles, scorer):
    """The threshold is a promise about workload: one in two hundred, within what so few events can show."""
    evaluation = bundles[scorer].evaluation
    assert not evaluation.seen
    assert evaluation.alert_rate[0] < 0.03
    assert 0.3 < evaluation.tail["0.5"][0] < 0.7


def test_the_same_command_gives_the_same_digest(bundles, payments_file, tmp_path):
    """Anyone can check that a bundle came from the data and arguments it names."""
    again = made_from("payment_anomaly", payments_file, tmp_path)
    first = bundles["payment_anomaly"].bundle
    assert again.bundle.digest == first.digest
    for path in sorted(first.folder.iterdir()):
        assert (again.bundle.folder / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("scorer", SCORERS)
def test_a_bundle_says_nothing_about_the_machine_that_made_it(bundles, scorer, payments_file):
    """No folder names, no user, no time of day: the digest is about the model."""
    folder = bundles[scorer].bundle.folder
    for path in folder.iterdir():
        content = path.read_bytes()
        assert str(payments_file.parent).encode() not in content
        assert b"/home/" not in content and b"site-packages" not in content and b'.py"' not in content


def test_the_card_needs_nothing_but_itself(bundles):
    """It is mailed around, and opened where there is no network."""
    card = (bundles["payment_anomaly"].bundle.folder / "card.html").read_text(encoding="utf-8")
    assert card.count("<svg") == 3
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", card)
    assert "<script" not in card
    assert "charge_zscore_30d" in card


INJECTED_DAY = 47


def with_anomalies() -> dict[str, "np.ndarray"]:
    """Payments of the same kind as trained on, with one clear anomaly of each kind put in late."""
    import polars as pl

    frame = payments(seed=11)
    noon = START_MS + INJECTED_DAY * 86_400_000 + 14 * 3_600_000
    typical = {f"a{n}": frame.filter(pl.col("account_id") == f"a{n}")["amount"].mean() for n in range(4)}
    rows = [("huge amount", noon, "a0", typical["a0"] * 30, "m1", "DE")]
    rows += [(f"burst {n}", noon + n * 60_000, "a1", typical["a1"], "m2", "DE") for n in range(12)]
    rows += [("new country", noon, "a2", typical["a2"] * 3, "m1", "BR")]
    rows += [("at night", noon - 11 * 3_600_000, "a3", typical["a3"] * 2, "m1", "DE")]
    names = ["event_id", "occurred_at_ms", "account_id", "amount", "merchant_id", "country"]
    injected = pl.DataFrame(rows, schema=names, orient="row").with_columns(currency=pl.lit("EUR"))
    return pl.concat([frame, injected.select(frame.columns)]).sort("occurred_at_ms", maintain_order=True)


def test_clear_anomalies_score_high_and_name_their_reason(bundles, tmp_path):
    """The use of it all: an amount far above the account's own, a burst, a new country, an unusual hour."""
    from scoring.files import read_events
    from scoring.files.mapping import IDENTITY

    frame = with_anomalies()
    frame.write_parquet(tmp_path / "events.parquet")
    view = scorers()["payment_anomaly"].view
    dataset = collect(
        view, read_events([tmp_path / "events.parquet"], IDENTITY, view.event), with_history=False
    )
    session = bundles["payment_anomaly"].bundle.session
    scores, parts = session.run(dataset.rows.features), session.explain(dataset.rows.features)
    place = {name: row for row, name in enumerate(frame["event_id"])}
    expected = {
        "huge amount": ("amount", "charge_"),
        "burst 11": ("count_1", "merchant_id_distinct_1h", "charge_total_1"),
        "new country": ("country_",),
        "at night": ("hour_",),
    }
    for name, prefixes in expected.items():
        level = (
            0.97 if name == "at night" else 0.99
        )  # one sign alone is worth a look, several are worth an alert
        assert scores[place[name]] > level, name
        leading = [view.feature_names[column] for column in np.argsort(-parts[place[name]])[:4]]
        assert any(feature.startswith(prefixes) for feature in leading), (name, leading)
