"""The account of a score: what was published is repeated, what was not is worked out, what cannot be is said."""

import base64
import dataclasses

import msgspec
import numpy as np
import pytest

from schemas.events.transaction import EVENT, Transaction
from schemas.score import Score
from schemas.source import Source
from scoring.catalog import scorers
from scoring.engine import InForce, judge
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.model.bundle import Bundle, load_bundle
from scoring.policy import Policy
from scoring.publish import Coordinates
from scoring.score_writer import ScoreWriter
from stream.explain.account import account_of, packed_features
from stream.explain.find import source_of_id
from tests.support.small_bundles import LEADING, write_small_bundle

SCORER = scorers()["payment_anomaly"]
VIEW = SCORER.view
START_MS = 1_700_000_000_000


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle whose score follows the ratio of the payment to the usual one."""
    return load_bundle(write_small_bundle(tmp_path_factory.mktemp("bundles"), SCORER))


def published(bundle: Bundle, *, watch: float) -> Score:
    """The score of the last of five payments, as it is on the wire."""
    events = [
        Transaction(
            event_id=f"e{number}",
            occurred_at_ms=START_MS + number * 3_600_000,
            account_id="a",
            amount=10.0 if number < 4 else 60.0,
        )
        for number in range(5)
    ]
    table = fold_table(VIEW, EventBatch.from_events(EVENT, events))
    policy = Policy(watch=watch, alert=1.0)
    in_force = InForce(scorer=SCORER, bundle=bundle, policy=policy, live=True)
    (verdicts,) = judge(in_force, [table])
    at = Coordinates("tests", "transactions", 3, range(5))
    written = ScoreWriter(in_force).write(verdicts, table, at, np.arange(5))
    return msgspec.json.decode(written.values.one(4), type=Score)


def test_the_account_worked_out_is_the_one_that_would_have_been_published(bundle: Bundle) -> None:
    """Below watch nothing is published with a score; the same graph over the same features gives the same."""
    quiet, loud = published(bundle, watch=1.0), published(bundle, watch=0.5)
    assert quiet.contributions is None and loud.contributions is not None
    worked_out = account_of(quiet, bundle=bundle, view=VIEW)
    repeated = account_of(loud, bundle=bundle, view=VIEW)
    assert (worked_out.contributions_are, repeated.contributions_are) == ("computed", "published")
    assert worked_out.features == repeated.features
    assert worked_out.contributions == pytest.approx(repeated.contributions)
    assert worked_out.reasons == repeated.reasons
    assert worked_out.words == repeated.words != ""
    assert worked_out.notes == repeated.notes == ()


def test_what_adds_most_comes_first(bundle: Bundle) -> None:
    """People read the first lines."""
    account = account_of(published(bundle, watch=1.0), bundle=bundle, view=VIEW)
    assert next(iter(account.features)) == LEADING[VIEW.name]
    assert account.contributions is not None
    parts = list(account.contributions.values())
    assert parts == sorted(parts, reverse=True)
    assert account.features["amount_to_balance"] is None


def test_without_the_bundle_features_are_named_by_the_view_and_the_rest_is_said(bundle: Bundle) -> None:
    """Bundles are deleted; the features of a score can still be read."""
    score = published(bundle, watch=1.0)
    account = account_of(score, bundle=None, view=VIEW)
    assert tuple(account.features) == VIEW.feature_names
    assert account.features["amount"] == 60.0
    assert account.contributions is None
    assert score.bundle in account.notes[0]
    unnamed = account_of(score, bundle=None, view=None)
    assert next(iter(unnamed.features)) == "feature_0"
    assert any(score.view in note for note in unnamed.notes)


def test_a_model_that_reads_past_vectors_gives_no_contributions_afterwards(bundle: Bundle) -> None:
    """A score does not carry the past; an account made without it would be another score's."""
    reads_past = msgspec.structs.replace(bundle.manifest, inputs=("features", "history"))
    sequence = dataclasses.replace(bundle, manifest=reads_past)
    account = account_of(published(bundle, watch=1.0), bundle=sequence, view=VIEW)
    assert account.contributions is None
    assert any("riskstream replay" in note for note in account.notes)


def test_a_published_value_that_is_not_what_the_bundle_gives_is_noted(bundle: Bundle) -> None:
    """Another machine's arithmetic, or a changed record: either way the reader should know."""
    score = msgspec.structs.replace(published(bundle, watch=1.0), value=0.123456)
    account = account_of(score, bundle=bundle, view=VIEW)
    assert any("0.123456" in note for note in account.notes)


def test_features_that_are_not_the_bundles_are_refused(bundle: Bundle) -> None:
    """Names put to the wrong numbers would be worse than no answer."""
    score = published(bundle, watch=1.0)
    with pytest.raises(ValueError, match="features"):
        account_of(msgspec.structs.replace(score, features=_first(score, 3)), bundle=bundle, view=VIEW)


@pytest.mark.parametrize(
    ("shadow", "held_by", "raised"), [(False, None, True), (True, None, False), (False, "alert:x", False)]
)
def test_only_an_alert_that_went_out_is_named(bundle: Bundle, shadow, held_by, raised) -> None:
    """Challengers never alert, and one alert stands for those it holds back."""
    score = msgspec.structs.replace(
        published(bundle, watch=0.5), level="alert", shadow=shadow, suppressed_by=held_by
    )
    account = account_of(score, bundle=bundle, view=VIEW)
    assert account.alert == (f"alert:{score.score_id}" if raised else None)


def test_a_score_id_tells_where_its_record_is() -> None:
    """That is what makes one score among millions found in a second."""
    assert source_of_id("payment_anomaly:card.payments-2:3:17:0011aabb") == Source("card.payments-2", 3, 17)
    assert source_of_id("payment_anomaly:transactions:three:17:0011aabb") is None
    assert source_of_id("nonsense") is None


def _first(score: Score, count: int) -> str:
    return base64.b64encode(packed_features(score)[:count].tobytes()).decode()
