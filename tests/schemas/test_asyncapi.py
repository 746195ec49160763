"""The AsyncAPI document hangs together: references resolve, and each part is what the specification asks for.

The document was also validated against the JSON Schema of AsyncAPI 3.0.0 by its makers (npm
`@asyncapi/specs`); what that schema checks and what could go wrong here is checked below without it.
"""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from schemas import cloudevents, topics
from schemas.asyncapi import document
from schemas.catalog import event_types
from schemas.contract import contracts

DOCUMENT = document()
NAME = re.compile(r"^[A-Za-z0-9_.\-]+$")


def references(node: Any, path: str = "#") -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield path, node["$ref"]
        for name, part in node.items():
            yield from references(part, f"{path}/{name}")
    elif isinstance(node, list):
        for place, part in enumerate(node):
            yield from references(part, f"{path}/{place}")


def resolve(reference: str) -> Any:
    node: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


@pytest.mark.parametrize(("place", "reference"), list(references(DOCUMENT)))
def test_every_reference_leads_somewhere(place: str, reference: str) -> None:
    """A reference into nothing makes generators fail far from its cause."""
    assert reference.startswith("#/"), place
    assert isinstance(resolve(reference), dict), place


def test_the_document_has_only_fields_of_the_specification() -> None:
    """AsyncAPI 3.0.0 allows no other names at these places."""
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT.keys() <= {
        "asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components",
    }  # fmt: skip
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    assert DOCUMENT["components"].keys() <= {"schemas", "messages"}
    for channel in DOCUMENT["channels"].values():
        assert channel.keys() == {"address", "messages", "bindings"}
    for operation in DOCUMENT["operations"].values():
        assert operation.keys() == {"action", "channel", "messages"}
        assert operation["action"] in ("send", "receive")
    for message in DOCUMENT["components"]["messages"].values():
        assert message.keys() <= {"name", "contentType", "headers", "payload", "bindings"}
    for kind in ("schemas", "messages"):
        assert all(NAME.match(name) for name in DOCUMENT["components"][kind])


def test_every_topic_is_a_channel_and_none_besides() -> None:
    """Someone who reads the document alone must find every topic there is."""
    known = {*event_types(), topics.LABELS, *topics.OUTPUT_TOPICS}
    assert set(DOCUMENT["channels"]) == known
    for name, channel in DOCUMENT["channels"].items():
        assert channel["address"] == name
        assert channel["bindings"]["kafka"]["topic"] == name


def test_each_operation_speaks_of_messages_of_its_own_channel() -> None:
    """The specification wants the reference to go through the channel, not to the components."""
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")


@pytest.mark.parametrize("slug", contracts())
def test_each_contract_has_message_payload_key_and_operation(slug: str) -> None:
    """The point of view is riskstream's own: it receives events and labels and sends all else."""
    contract = contracts()[slug]
    action = "receive" if contract.direction == "inbound" else "send"
    assert DOCUMENT["operations"][f"{action}{contract.name}"]["action"] == action
    message = DOCUMENT["components"]["messages"][contract.name]
    assert message["bindings"]["kafka"]["key"]["type"] == "string"
    payload = resolve(message["payload"]["$ref"])
    assert set(payload["properties"]) == set(contract.struct.__struct_fields__)


def test_components_are_valid_schemas() -> None:
    """AsyncAPI's schema object is a superset of JSON Schema draft 7."""
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)


@pytest.mark.parametrize("name", ["Score", "Alert", "DeadLetter"])
def test_the_headers_we_send_fit_the_headers_we_declare(name: str) -> None:
    """Header schema and header bytes are written at two places; this ties them together."""
    contract = next(contract for contract in contracts().values() if contract.name == name)
    assert contract.cloud_event is not None
    made = cloudevents.headers(
        contract.cloud_event, "id-1", cloudevents.source_of("riskstream", "transactions", 0)
    )
    declared = DOCUMENT["components"]["messages"][name]["headers"]
    jsonschema.validate({key: value.decode() for key, value in made}, declared)
    assert set(declared["required"]) == {key for key, _ in made}
