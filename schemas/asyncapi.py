"""The AsyncAPI 3.0 document: topics, keys, messages and headers, derived from the contracts."""

from collections.abc import Collection
from typing import Any

import msgspec

from schemas import cloudevents
from schemas.contract import VERSION, Contract, contracts, describe

BINDING_VERSION = "0.5.0"


def document() -> dict[str, Any]:
    """The whole document; no servers, since which broker to use is a setting."""
    known = contracts().values()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "riskstream",
            "version": f"{VERSION}.0.0",
            "description": (
                "Events in; risk scores, alerts and dead letters out. Topic names are the defaults. "
                "Values are JSON in UTF-8; a field that is absent has its default; null means missing."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": _channels(known),
        "operations": dict(_operation(contract, topic) for contract in known for topic in contract.topics),
        "components": {
            "messages": {contract.name: _message(contract) for contract in known},
            "schemas": _schemas(known),
        },
    }


def _channels(known: Collection[Contract]) -> dict[str, Any]:
    channels: dict[str, Any] = {}
    for contract in known:
        for topic in contract.topics:
            channel = channels.setdefault(
                topic,
                {
                    "address": topic,
                    "messages": {},
                    "bindings": {"kafka": {"topic": topic, "bindingVersion": BINDING_VERSION}},
                },
            )
            channel["messages"][contract.name] = {"$ref": f"#/components/messages/{contract.name}"}
    return channels


def _operation(contract: Contract, topic: str) -> tuple[str, dict[str, Any]]:
    """What riskstream does with the message: it receives inbound ones and sends all others."""
    action = "receive" if contract.direction == "inbound" else "send"
    where = "" if topic == contract.topic else f"On{''.join(map(str.capitalize, topic.split('-')))}"
    channel = f"#/channels/{topic}"
    return f"{action}{contract.name}{where}", {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{contract.name}"}],
    }


def _message(contract: Contract) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": contract.name,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{contract.name}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": contract.key},
                "bindingVersion": BINDING_VERSION,
            }
        },
    }
    if contract.cloud_event is not None:
        message["headers"] = _headers(contract.cloud_event)
    return message


def _headers(kind: cloudevents.Kind) -> dict[str, Any]:
    version, type_ = cloudevents.SPEC_VERSION, cloudevents.TYPES[kind]
    return {
        "type": "object",
        "description": "CloudEvents 1.0 in Kafka binary mode.",
        "properties": {
            version[0]: {"type": "string", "const": version[1].decode()},
            "ce_id": {
                "type": "string",
                "minLength": 1,
                "description": "the id of the record, as in its value",
            },
            "ce_source": {
                "type": "string",
                "format": "uri-reference",
                "description": "the input partition: /namespace/topic/partition",
            },
            type_[0]: {"type": "string", "const": type_[1].decode()},
        },
        "required": [version[0], "ce_id", "ce_source", type_[0]],
    }


def _schemas(known: Collection[Contract]) -> dict[str, Any]:
    structs = [contract.struct for contract in known]
    _, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    for definition in components.values():
        describe(definition)
    return dict(sorted(components.items()))
