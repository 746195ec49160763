"""The four CloudEvents headers of an output record."""

from typing import get_args
from urllib.parse import urlsplit

import pytest

from schemas.cloudevents import TYPES, Kind, headers, source_of

KINDS: tuple[Kind, ...] = get_args(Kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_has_exactly_the_four_required_attributes(kind: Kind) -> None:
    """CloudEvents 1.0 requires these; each further header costs time and bytes on every record."""
    made = headers(kind, "score:1", "/riskstream/transactions/0")
    assert [name for name, _ in made] == ["ce_specversion", "ce_id", "ce_source", "ce_type"]
    assert all(isinstance(value, bytes) and value for _, value in made)
    assert dict(made)["ce_specversion"] == b"1.0"


def test_an_identity_keeps_its_characters() -> None:
    """Ids hold event ids of others, in any script; headers are UTF-8."""
    assert dict(headers("alert", "Zürich-№1", "/n/t/0"))["ce_id"].decode() == "Zürich-№1"


def test_each_kind_has_its_own_type() -> None:
    """Consumers route by type."""
    assert len({value for _, value in TYPES.values()}) == len(KINDS)
    assert set(TYPES) == set(KINDS)


def test_the_source_is_a_uri_reference_that_names_the_partition() -> None:
    """The specification asks for a URI reference; source and id together are unique."""
    source = source_of("team-a", "market-ticks", 11)
    assert urlsplit(source).path == source
    assert source.split("/")[1:] == ["team-a", "market-ticks", "11"]


def test_lists_of_two_records_are_their_own() -> None:
    """Kafka clients may append to the list they are given."""
    first = headers("score", "a", "/n/t/0")
    first.append(("traceparent", b"0"))
    assert len(headers("score", "a", "/n/t/0")) == 4
