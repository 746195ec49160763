"""Books across an internal topic: each event counts once, where it first came, whoever wrote it again."""

import json

from scoring.store.contract import Partition
from stream.verify.accounting import Account, PassedOn, placed
from stream.verify.findings import Findings
from stream.verify.reading import LogRecord

HOME, INTERNAL = Partition("transactions", 0), Partition("transactions-by-merchant", 1)
SOURCES = "/tests/transactions/"


def passed_on(place: int, partition: int, offset: int, namespace: str = "tests") -> LogRecord:
    """A record of the internal topic."""
    body = {"origin": {"topic": "transactions", "partition": partition, "offset": offset}}
    identity, origin = f"transactions:{partition}:{offset}", f"/{namespace}/transactions/{partition}"
    return LogRecord(place, 0, 1, b"m", json.dumps(body).encode(), identity, origin)


def score(place: int, partition: int, offset: int) -> LogRecord:
    """A score of the second pass."""
    source = {"topic": "transactions", "partition": partition, "offset": offset}
    body = json.dumps({"source": source, "scorer": "second"}).encode()
    origin = f"/tests/transactions/{partition}"
    return LogRecord(place, 0, 1, b"m", body, f"second:{partition}:{offset}", origin)


LOG = [
    passed_on(0, 0, 3), passed_on(1, 2, 0), passed_on(2, 0, 5), passed_on(3, 0, 3), passed_on(4, 0, 5),
    passed_on(5, 2, 4), passed_on(6, 0, 9, namespace="other"),
]  # fmt: skip
ORIGINS = [(0, 3), (2, 0), (0, 5), (2, 4)]


def second_books(scores: list[LogRecord], log: list[LogRecord] = LOG) -> Findings:
    """What the books of the internal partition say."""
    findings = Findings()
    sequence = PassedOn.of(log, SOURCES)
    account = Account(INTERNAL, SOURCES, {"second": 0}, findings, sequence=sequence)
    account.take_outputs("risk-scores", scores)
    account.take_inputs(log)
    account.close()
    return findings


def test_an_event_that_was_passed_on_again_is_answered_once() -> None:
    """A first pass that went back wrote 3 and 5 of partition 0 again; another namespace is none of ours."""
    findings = second_books([score(n, *origin) for n, origin in enumerate(ORIGINS)])
    assert (findings.broken, findings.inputs, findings.duplicates_identical) == ([], 0, 0)


def test_a_missing_score_of_the_second_pass_is_found_and_so_is_one_too_many() -> None:
    """Each by its own name."""
    scores = [score(n, *origin) for n, origin in enumerate(ORIGINS)]
    assert second_books(scores[1:]).missing == 1
    assert second_books([*scores, score(9, 0, 8)]).unexpected == 1
    assert second_books([scores[2], *scores[:2], scores[3]]).out_of_order == 1


def first_books(passed: list[tuple[str, int]], letters: tuple[LogRecord, ...] = ()) -> Findings:
    """What the books of the input partition say, of five inputs."""
    findings = Findings()
    account = Account(
        HOME, "/tests/transactions/0", {}, findings, others=frozenset({"second"}),
        passed_from={INTERNAL.topic: 1},
    )  # fmt: skip
    account.take_passed_on(INTERNAL.topic, passed)
    account.take_outputs("dead-letters", letters)
    account.take_outputs("risk-scores", [score(0, 0, 99)])
    account.take_inputs(LogRecord(offset, 0, 1, b"", b"", "", "") for offset in range(5))
    account.close()
    return findings


def test_an_input_is_passed_on_or_has_its_dead_letter() -> None:
    """From the first offset on that is passed on; a copy in another place or with another content is found."""
    all_of_them = [(f"transactions:0:{offset}", placed(7, 1)) for offset in range(1, 5)]
    assert first_books(all_of_them).broken == []
    assert first_books([*all_of_them, all_of_them[2]]).broken == []
    assert first_books(all_of_them[:-1]).missing == 1
    body = {"source": {"topic": "transactions", "partition": 0, "offset": 4}}
    letter = LogRecord(0, 0, 1, b"", json.dumps(body).encode(), "dead:4", "/tests/transactions/0")
    assert first_books(all_of_them[:-1], (letter,)).broken == []
    assert first_books(all_of_them, (letter,)).unexpected == 1
    assert first_books([*all_of_them, ("transactions:0:2", placed(8, 1))]).duplicates_different == 1
    assert first_books([*all_of_them, ("transactions:0:2", placed(7, 0))]).duplicates_different == 1
