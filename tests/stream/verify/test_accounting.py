"""Books of one partition: whatever is dropped, doubled, changed or moved is found by its coordinates."""

import json
from collections.abc import Callable

import pytest

from scoring.store.contract import Partition
from stream.verify.accounting import Account, content_of
from stream.verify.findings import Findings
from stream.verify.reading import LogRecord

ORIGIN = "/tests/transactions/0"
Outputs = dict[str, list[LogRecord]]


def record(offset: int, *, identity: str = "", value: bytes = b"", origin: str = ORIGIN) -> LogRecord:
    """A record as the reader gives it."""
    return LogRecord(offset, 0, 1, b"k", value, identity, origin)


def output(place: int, identity: str, offset: int, **more: object) -> LogRecord:
    """An output about the input at `offset`."""
    body = {"source": {"topic": "transactions", "partition": 0, "offset": offset}} | more
    return record(place, identity=identity, value=json.dumps(body).encode())


def sound() -> Outputs:
    """Scores of inputs 0 to 9 but 4, which has a dead letter; two alerts, one of them held back."""
    scores = [
        output(
            offset, f"s:{offset}", offset, scorer="s", level="alert" if offset in (6, 7) else "none",
            suppressed_by="alert:s:6" if offset == 7 else None,
        )
        for offset in range(10)
        if offset != 4
    ]  # fmt: skip
    return {
        "risk-scores": scores,
        "dead-letters": [output(0, "dead:4", 4, reason="BROKEN_JSON")],
        "alerts": [output(0, "alert:s:6", 6, scorer="s")],
    }


def found(outputs: Outputs, inputs: int = 10, scores_from: int = 0) -> Findings:
    """What the books say."""
    findings = Findings()
    account = Account(Partition("transactions", 0), ORIGIN, {"s": scores_from}, findings)
    account.take_inputs(record(offset) for offset in range(inputs))
    for topic, records in outputs.items():
        account.take_outputs(topic, records)
    account.close()
    return findings


def test_sound_books_are_in_order() -> None:
    """Ten inputs, nine scores, one dead letter for all scorers, one alert."""
    findings = found(sound())
    assert (findings.inputs, findings.broken, findings.examples) == (10, [], {})


def drop_a_score(outputs: Outputs) -> None:
    """One answer never came."""
    del outputs["risk-scores"][3]


def change_a_byte_in_a_second_copy(outputs: Outputs) -> None:
    """A zombie that scored on another state."""
    again = outputs["risk-scores"][3]
    outputs["risk-scores"].append(record(99, identity=again.identity, value=again.value.replace(b"none", b"nona")))


def swap_two(outputs: Outputs) -> None:
    """One overtook the other."""
    scores = outputs["risk-scores"]
    scores[1], scores[2] = scores[2], scores[1]


def answer_twice(outputs: Outputs) -> None:
    """A score and a dead letter for the same input."""
    outputs["dead-letters"].append(output(1, "dead:5:s", 5, scorer="s"))


def answer_nothing(outputs: Outputs) -> None:
    """A score of an input that is not there."""
    outputs["risk-scores"].append(output(99, "s:77", 77, scorer="s"))


def lose_the_alert(outputs: Outputs) -> None:
    """A level without its alert."""
    outputs["alerts"].clear()


def alert_out_of_nothing(outputs: Outputs) -> None:
    """An alert of a score that is held back."""
    outputs["alerts"].append(output(1, "alert:s:7", 7, scorer="s"))


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (drop_a_score, "missing"),
        (change_a_byte_in_a_second_copy, "duplicates_different"),
        (swap_two, "out_of_order"),
        (answer_twice, "duplicates_different"),
        (answer_nothing, "unexpected"),
        (lose_the_alert, "alerts_wrong"),
        (alert_out_of_nothing, "alerts_wrong"),
    ],
)
def test_each_single_fault_is_found_and_named(wrong: Callable[[Outputs], None], kind: str) -> None:
    """A checker that misses one of these proves nothing."""
    outputs = sound()
    wrong(outputs)
    findings = found(outputs)
    assert findings.broken == [kind]
    assert getattr(findings, kind) == 1
    assert len(findings.examples[kind]) == 1


def test_an_identical_copy_is_counted_and_is_no_fault() -> None:
    """At-least-once delivery after a zombie: consumers drop it by its id."""
    outputs = sound()
    outputs["risk-scores"].append(outputs["risk-scores"][0])
    findings = found(outputs)
    assert (findings.duplicates_identical, findings.broken) == (1, [])


def test_what_was_before_a_scorer_came_and_what_is_of_another_namespace_is_not_asked_for() -> None:
    """Scorers are added later; several namespaces share the output topics."""
    outputs = sound()
    outputs["risk-scores"] = [score for score in outputs["risk-scores"] if score.offset >= 2]
    outputs["risk-scores"].append(record(99, identity="x", value=b"{}", origin="/other/transactions/0"))
    assert found(outputs, scores_from=2).broken == []


def test_the_machine_that_made_a_score_is_no_part_of_its_content() -> None:
    """Two workers on different machines give the same score."""
    one, other = (b'{"value":0.5,"runtime":"' + name + b'","flags":[]}' for name in (b"a", b"bc"))
    assert content_of(one) == content_of(other) != content_of(one.replace(b"0.5", b"0.6"))
