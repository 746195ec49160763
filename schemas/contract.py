"""Which structs are contracts with the world outside, on which topic, by which key, and who writes them."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from schemas import topics
from schemas.activation import Activation, Desired, PassingOn, Resume
from schemas.alert import Alert
from schemas.as_of import AsOf
from schemas.catalog import event_types, input_types
from schemas.cloudevents import Kind
from schemas.dead_letter import DeadLetter
from schemas.label import Label
from schemas.score import Score

VERSION = 1
"""Version of all contracts together; raised when an incompatible change is released on purpose."""

Direction = Literal["inbound", "outbound", "both"]

_ATTRIBUTE = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")
_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One struct as it crosses a topic.

    Attributes:
        direction: `inbound` others write it and riskstream reads it; `outbound` the other way round; `both`
            riskstream writes it and later versions of riskstream read it.
        key: what the record key holds, in words.
        cloud_event: kind of the CloudEvents headers; None when the record carries none.
        also_on: further topics it may come on.
    """

    struct: type[msgspec.Struct]
    topic: str
    direction: Direction
    key: str
    cloud_event: Kind | None = None
    also_on: tuple[str, ...] = ()

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics it may come on."""
        return (self.topic, *self.also_on)

    @property
    def name(self) -> str:
        """Name of the struct, for example `DeadLetter`."""
        return self.struct.__name__

    @property
    def slug(self) -> str:
        """Name in file names, for example `dead_letter`."""
        return _WORD_START.sub("_", self.name).lower()


@cache
def contracts() -> Mapping[str, Contract]:
    """Every contract by its slug: the event types by the catalogue, then what riskstream writes.

    Raises:
        schemas.catalog.BrokenDeclaration: an event type cannot be used.
    """
    found = [
        Contract(
            struct=event.struct, topic=event.topic, direction="inbound", key=f"`{event.key}` of the event"
        )
        for event in input_types().values()
    ]
    found += [
        Contract(
            struct=event.passed_on, topic=event.topic, direction="both", key=f"`{event.key}` of the event, or empty",
            cloud_event="sequenced",
        )
        for event in event_types().values()
        if event.passed_on is not None
    ]  # fmt: skip
    first, *others = [event.topic for event in input_types().values()]
    found += [
        Contract(struct=AsOf, topic=first, direction="inbound", key="`entity` of the question", also_on=tuple(others)),
        Contract(struct=Label, topic=topics.LABELS, direction="inbound", key="`entity` of the label"),
        Contract(
            struct=Score,
            topic=topics.SCORES,
            direction="outbound",
            key="`entity` of the score",
            cloud_event="score",
        ),
        Contract(
            struct=Alert,
            topic=topics.ALERTS,
            direction="outbound",
            key="`entity` of the alert",
            cloud_event="alert",
        ),
        Contract(
            struct=DeadLetter,
            topic=topics.DEAD_LETTERS,
            direction="outbound",
            key="key of the refused record; none when it was refused unread, at stage decode",
            cloud_event="dead_letter",
        ),
        Contract(
            struct=Activation,
            topic=topics.ACTIVATIONS,
            direction="both",
            key="namespace|activation|scorer|topic|partition|offset",
        ),
        Contract(struct=Desired, topic=topics.ACTIVATIONS, direction="both", key="namespace|desired|scorer"),
        Contract(
            struct=Resume, topic=topics.ACTIVATIONS, direction="both", key="namespace|resume|topic|partition"
        ),
        Contract(
            struct=PassingOn,
            topic=topics.ACTIVATIONS,
            direction="both",
            key="namespace|passing-on|to|topic|partition",
        ),
    ]
    return MappingProxyType({contract.slug: contract for contract in found})


def json_schema(contract: Contract) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a contract, with the field descriptions of its docstrings."""
    # through JSON, since defaults of tuples are lists there
    made = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(contract.struct)))
    for definition in made["$defs"].values():
        describe(definition)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:riskstream:{contract.slug}:{VERSION}",
        **made,
    }


def describe(definition: dict[str, Any]) -> None:
    """Moves the `Attributes:` section of a definition's description to the properties it speaks of."""
    summary, _, attributes = inspect.cleandoc(definition.get("description", "")).partition("\nAttributes:\n")
    if summary:
        definition["description"] = " ".join(summary.split())
    names: list[str] = []
    said: dict[str, str] = {}
    for line in attributes.splitlines():
        begun = _ATTRIBUTE.match(line)
        if begun:
            names = begun.group(1).split(", ")
            said |= dict.fromkeys(names, begun.group(2))
        else:
            said |= {name: f"{said[name]} {line.strip()}" for name in names}
    for name, text in said.items():
        field = definition.get("properties", {}).get(name)
        if field is not None and "$ref" not in field:
            field.setdefault("description", text.strip())
