"""What is written: the quick text form equals the encoded struct, and identities come from the source."""

import base64
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

import scoring.bundles
from schemas.codec import Refused
from schemas.dead_letter import DeadLetter, Reason
from schemas.events import bar
from schemas.events.transaction import EVENT, Transaction
from schemas.score import Score
from schemas.source import Source
from scoring.catalog import scorers
from scoring.engine import InForce, judge, raise_alerts
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.model.bundle import load_bundle
from scoring.publish import Coordinates, alert_id, score_ids, write_dead_letter
from scoring.score_writer import ScoreWriter
from tests.support.small_bundles import write_small_bundle

HOUR_MS = 3_600_000
LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
AT = Coordinates("tests", "transactions", 2, list(range(100, 112)))


@pytest.fixture(scope="module")
def in_force(tmp_path_factory) -> InForce:
    """The payment scorer with a small bundle."""
    scorer = scorers()["payment_anomaly"]
    folder = write_small_bundle(tmp_path_factory.mktemp("bundles"), scorer)
    return InForce(scorer=scorer, bundle=load_bundle(folder), policy=scorer.policy, live=True)


def payments() -> list[Transaction]:
    """Eleven ordinary payments with awkward ids, and one twenty times as large."""
    ordinary = [
        Transaction(
            event_id=f'e"{n}\\é',
            occurred_at_ms=1_700_000_000_000 + n * HOUR_MS,
            account_id="kö\n1",
            amount=10.0 + n % 3,
        )
        for n in range(11)
    ]
    return [*ordinary, msgspec.structs.replace(ordinary[-1], event_id="large", amount=250.0)]


def judged(in_force: InForce):
    table = fold_table(in_force.scorer.view, EventBatch.from_events(EVENT, payments()))
    return judge(in_force, [table])[0], table


def test_the_quick_text_is_byte_for_byte_the_encoded_score(in_force):
    """Most scores are put together by compiled code: a difference would set live and replay apart, or break readers."""
    verdicts, table = judged(in_force)
    writer = ScoreWriter(in_force)
    row = np.arange(12)
    table = replace(  # every combination of flags, and numbers of every length
        table, approx=row & 1 > 0, late=row & 2 > 0, depth=np.where(row & 4, 0, 100).astype(np.int32),
        batch=replace(table.batch, occurred_at_ms=np.array([0, -1, 9, 10, -10, 99, 100, 10**12, LEAST, MOST, 7, 8])),
    )  # fmt: skip
    verdicts.values[:4] = [0.0, 1e-06, 1.0, 0.123457]
    block = writer.write(verdicts, table, AT, row)
    ids = score_ids("payment_anomaly", AT, table.batch.id_hash, row)
    for row, output in enumerate(block.outputs()):
        assert output.value == msgspec.json.encode(writer.score(verdicts, table, AT, row))
        assert (output.identity, output.key) == (ids[row], "kö\n1".encode())
        score = msgspec.json.decode(output.value, type=Score)
        assert score.source == Source("transactions", 2, 100 + row)
        assert base64.b64decode(score.features) == table.vectors[row].astype("<f4").tobytes()


def test_only_the_rows_asked_for_are_written_each_with_its_own_coordinates(in_force):
    """After a crash some scores are out already; the others must not be shifted by the gaps."""
    verdicts, table = judged(in_force)
    writer = ScoreWriter(in_force)
    whole = list(writer.write(verdicts, table, AT, np.arange(12)).outputs())
    some = writer.write(verdicts, table, AT, np.array([2, 3, 7, 11]))
    assert list(some.outputs()) == [whole[2], whole[3], whole[7], whole[11]]


def test_levels_from_watch_on_carry_named_features_contributions_and_reasons(in_force):
    """A person must be able to ask why; below watch nobody asks and the bytes are saved."""
    verdicts, table = judged(in_force)
    outputs = list(ScoreWriter(in_force).write(verdicts, table, AT, np.arange(12)).outputs())
    first, last = (msgspec.json.decode(outputs[row].value, type=Score) for row in (0, 11))
    assert (first.level, first.reasons, first.named_features) == ("none", (), None)
    assert last.level == "alert"
    assert last.reasons[0] == "CHARGE_RATIO_30D_HIGH"
    assert last.named_features["charge_ratio_30d"] == pytest.approx(250 / 10.909, rel=1e-3)
    assert last.contributions["charge_ratio_30d"] > 0


def test_an_alert_is_written_once_and_its_like_is_held_back_by_name(in_force):
    """Cool-down: the second one within the hour names the first."""
    verdicts, table = judged(in_force)
    ids = score_ids("payment_anomaly", AT, table.batch.id_hash, range(12))
    state = raise_alerts(verdicts, table, {}, {row: alert_id(ids[row]) for row in range(12)})
    writer = ScoreWriter(in_force)
    assert [row for row, _ in writer.write_alerts(verdicts, table, AT)] == [11]
    again = raise_alerts(verdicts, table, state, {row: "another" for row in range(12)})
    assert verdicts.suppressed_by == {11: alert_id(ids[11])}
    assert again == {}
    assert writer.write_alerts(verdicts, table, AT) == []
    (held_back,) = writer.write(verdicts, table, AT, np.array([11])).outputs()
    assert held_back.value == msgspec.json.encode(writer.score(verdicts, table, AT, 11))
    assert msgspec.json.decode(held_back.value, type=Score).suppressed_by == alert_id(ids[11])


def test_ids_do_not_depend_on_the_bundle_and_differ_by_record():
    """A re-scoring under another bundle is the same record's score, and is recognised as such."""
    at = Coordinates("tests", "transactions", 2, [5, 6])
    ids = score_ids("payment_anomaly", at, np.array([7, 7], np.uint64), range(2))
    assert ids == ["payment_anomaly:transactions:2:5:00000007", "payment_anomaly:transactions:2:6:00000007"]


@pytest.mark.parametrize(
    ("content", "kept"),
    [("nothing", set()), ("hash", {"value_xxh3"}), ("bytes", {"value_xxh3", "value_base64"})],
)
def test_a_dead_letter_keeps_of_the_bytes_what_the_setting_says(content, kept):
    """Bytes may hold personal data: by default only their hash leaves the worker."""
    output = write_dead_letter(
        namespace="tests", source=Source("transactions", 1, 9), raw=b'{"secret":', key=b"k",
        refused=Refused(Reason.BROKEN_JSON, "$", "truncated"), stage="decode", content=content,
    )  # fmt: skip
    letter = msgspec.json.decode(output.value, type=DeadLetter)
    assert {name for name in ("value_xxh3", "value_base64") if getattr(letter, name)} == kept
    assert (letter.dead_letter_id, letter.value_bytes) == ("dead:transactions:1:9", 10)


def test_named_outputs_follow_in_the_quick_text_as_in_the_encoded_score():
    """Rows with and without an explanation, and what the model could not say; other scorers have no such part."""
    scorer = scorers()["bar_volatility"]
    bundle = load_bundle(Path(next(iter(scoring.bundles.__path__))) / "bar_volatility")
    bars_in_force = InForce(scorer=scorer, bundle=bundle, policy=scorer.policy, live=True)
    closes = np.cumprod(np.append(1 + np.random.default_rng(0).normal(0, 0.01, 40), [0.7, 1.01]))
    bars = [
        bar.Bar(event_id=f"b{day}", occurred_at_ms=day * 24 * HOUR_MS, symbol="X", close=float(close))
        for day, close in enumerate(closes)
    ]
    table = fold_table(scorer.view, EventBatch.from_events(bar.EVENT, bars))
    verdicts = judge(bars_in_force, [table])[0]
    verdicts.outputs[3, 1] = np.nan
    writer = ScoreWriter(bars_in_force)
    at = Coordinates("tests", "market-bars", 0, list(range(len(bars))))
    block = list(writer.write(verdicts, table, at, np.arange(len(bars))).outputs())
    assert [output.value for output in block] == [
        msgspec.json.encode(writer.score(verdicts, table, at, row)) for row in range(len(bars))
    ]
    scores = [msgspec.json.decode(output.value, type=Score) for output in block]
    assert scores[39].level == "none" and scores[40].level == "alert" and scores[40].named_features is not None
    assert scores[3].outputs["value_at_risk"][0] is None
    calm, after = scores[39].outputs, scores[40].outputs
    assert after["volatility"][0] > 2 * calm["volatility"][0] > 0
    assert after["expected_shortfall"][1] < after["value_at_risk"][1] < after["value_at_risk"][0] < 0
    assert [len(values) for values in calm.values()] == [1, 2, 2]
