"""The committed contracts are those of the structs, fit real records, and keep what was released."""

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from schemas import contracts_writer
from schemas.activation import Activation, Desired
from schemas.alert import Alert
from schemas.catalog import event_types, input_types
from schemas.codec import encode
from schemas.contract import VERSION, Contract, contracts, json_schema
from schemas.dead_letter import DeadLetter, Reason
from schemas.label import Label
from schemas.score import Score
from schemas.source import Source

SOURCE = Source("transactions", 3, 42)
SCORE = Score(
    score_id="payment_anomaly:transactions:3:42:0badcafe",
    scorer="payment_anomaly",
    event_id="e-1",
    entity="a-1",
    source=SOURCE,
    occurred_at_ms=1_600_000_000_000,
    value=0.25,
    score_kind="tail",
    level="none",
    features=base64.b64encode(bytes(8)).decode(),
    depth=3,
    bundle="0" * 16,
    policy="1" * 16,
    view="2" * 16,
    runtime="onnxruntime 1.32",
)
ALERT = Alert(
    alert_id="alert:1",
    score_id=SCORE.score_id,
    scorer=SCORE.scorer,
    event_id="e-1",
    entity="a-1",
    source=SOURCE,
    occurred_at_ms=0,
    value=1.0,
    score_kind="tail",
    reasons=("AMOUNT_HIGH",),
    explanation="amount is high",
    named_features={"amount": 7.0, "balance": None},
    contributions={"amount": 2.0},
    bundle="0" * 16,
    policy="1" * 16,
    view="2" * 16,
)
NOTED = msgspec.structs.replace(
    SCORE,
    level="watch",
    flags=("late", "cold"),
    shadow=True,
    named_features={"amount": 1.0, "balance": None},
    contributions={"amount": 0.5},
    reasons=("AMOUNT_HIGH",),
    suppressed_by="alert:0",
    outputs={"expected": (1.0, None)},
)
LETTER = DeadLetter(
    dead_letter_id="dead:transactions:3:42",
    reason=Reason.NOT_FINITE,
    stage="decode",
    source=SOURCE,
    path="$.amount",
    detail="expected a finite number, was NaN",
)
IN_FORCE = Activation(
    scorer="payment_anomaly",
    topic="transactions",
    partition=3,
    from_offset=0,
    bundle="0" * 16,
    policy="1" * 16,
    view="2" * 16,
    policy_content={"watch": 0.9},
)
RECORDS = {
    "score": SCORE,
    "score from watch on": NOTED,
    "alert": ALERT,
    "dead_letter": LETTER,
    "activation": IN_FORCE,
    "desired": Desired(scorer="payment_anomaly", bundle="0" * 16, policy_content={}),
    "label": Label(event_id="e", entity="a", label="fraud", known_at_ms=5),
}


def test_the_committed_contracts_are_those_of_the_structs() -> None:
    """Users read the files; a struct that changed alone would make them wrong."""
    assert contracts_writer.stale() == [], "run: python -m schemas.contracts_writer"


def test_no_change_breaks_what_was_released() -> None:
    """Producers and consumers out there were built on the baseline of this version."""
    assert contracts_writer.baseline().keys() <= contracts().keys()
    assert [
        str(breach) for breach in contracts_writer.breaches(contracts_writer.baseline(), contracts())
    ] == []


def test_every_version_has_its_baseline() -> None:
    """Without a baseline the check above would pass by having nothing to compare."""
    for version in range(1, VERSION + 1):
        assert list((contracts_writer.FOLDER / "released" / str(version)).glob("*.schema.json"))
    assert set(contracts_writer.baseline()) == set(contracts())


def test_every_event_type_of_the_catalogue_has_a_contract() -> None:
    """A new file in schemas/events/ needs no other edit, so nothing here may list them."""
    inbound = {contract.topic for contract in contracts().values() if contract.direction == "inbound"}
    assert input_types().keys() <= inbound
    assert event_types().keys() <= {contract.topic for contract in contracts().values()}


@pytest.mark.parametrize("slug", contracts())
def test_each_contract_is_a_valid_json_schema(slug: str) -> None:
    """Code generators stop at an invalid one."""
    jsonschema.Draft202012Validator.check_schema(json_schema(contracts()[slug]))


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_written_fits_its_contract(name: str) -> None:
    """The schema describes the bytes on the wire, with defaults left out, not only the struct."""
    slug = name.split(" ", maxsplit=1)[0]
    schema = json_schema(contracts()[slug])
    jsonschema.validate(json.loads(encode(RECORDS[name])), schema)


def test_a_record_that_does_not_fit_is_found() -> None:
    """A schema that accepts everything would pass the test above as well."""
    wrong: dict[str, Any] = json.loads(encode(SCORE))
    validator = jsonschema.Draft202012Validator(json_schema(contracts()["score"]))
    for change in ({"value": 1.5}, {"level": "high"}, {"source": {"topic": "t"}}, {"flags": ["new"]}):
        assert not validator.is_valid(wrong | change)
    assert not validator.is_valid({name: value for name, value in wrong.items() if name != "score_id"})


def test_attributes_of_docstrings_describe_the_fields() -> None:
    """Meaning is written once, beside the struct, and reaches those who only see the contract."""
    fields = json_schema(contracts()["score"])["$defs"]["Score"]["properties"]
    assert fields["value"]["description"].startswith("risk in [0, 1]")
    assert fields["policy"]["description"] == fields["view"]["description"]
    assert "Attributes" not in json.dumps(json_schema(contracts()["score"]))


def test_writing_repairs_a_changed_a_missing_and_a_left_over_file(tmp_path: Path) -> None:
    """One command brings the folder to the state the check wants."""
    contracts_writer.write(tmp_path)
    assert contracts_writer.stale(tmp_path) == []
    (tmp_path / "score.schema.json").write_text("{}")
    (tmp_path / "tick.schema.json").unlink()
    (tmp_path / "old.schema.json").write_text("{}")
    expected = ["old.schema.json", "score.schema.json", "tick.schema.json"]
    assert contracts_writer.stale(tmp_path) == expected
    assert contracts_writer.write(tmp_path) == expected
    assert contracts_writer.stale(tmp_path) == []


def test_a_release_is_never_overwritten(tmp_path: Path) -> None:
    """A baseline that can be replaced holds nobody to anything."""
    contracts_writer.release(tmp_path)
    assert set(contracts_writer.baseline(tmp_path)) == set(contracts())
    with pytest.raises(FileExistsError, match="VERSION"):
        contracts_writer.release(tmp_path)


def test_a_changed_struct_is_held_to_the_baseline(tmp_path: Path) -> None:
    """The whole way: a released folder, a struct with one field less, the message its author gets."""
    contracts_writer.release(tmp_path)
    kept = [(name, Any) for name in Label.__struct_fields__ if name != "known_at_ms"]
    shorter = msgspec.defstruct("Label", kept)
    now = dict(contracts()) | {
        "label": Contract(struct=shorter, topic="labels", direction="inbound", key="entity")
    }
    del now["alert"]
    found = [str(breach) for breach in contracts_writer.breaches(contracts_writer.baseline(tmp_path), now)]
    assert any(text.startswith("alert $: removed contract") for text in found)
    assert any(text.startswith("label $.known_at_ms: removed field") for text in found)
