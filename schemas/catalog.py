"""Finds the event types by their files: no list to edit."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import schemas.events
from schemas.event import EventType


class BrokenDeclaration(Exception):
    """A declaration file cannot be used; names the file and the cause."""


def input_types() -> Mapping[str, EventType]:
    """The event types that others send, by topic: all but those of internal topics."""
    return {topic: event_type for topic, event_type in event_types().items() if event_type.origin is None}


@cache
def event_types() -> Mapping[str, EventType]:
    """Every event type by the name of its topic, in order of the topic's name.

    Raises:
        BrokenDeclaration: a file of `schemas/events/` fails to import, lacks `EVENT`, or claims a taken
            topic.
    """
    found: dict[str, EventType] = {}
    for module in pkgutil.iter_modules(schemas.events.__path__):
        path = f"schemas/events/{module.name}.py"
        try:
            declared = importlib.import_module(f"schemas.events.{module.name}").EVENT
        except Exception as cause:
            said = f"{path}: {type(cause).__name__}: {cause}; fix or remove the file"
            raise BrokenDeclaration(said) from cause
        if not isinstance(declared, EventType):
            raise BrokenDeclaration(f"{path}: EVENT is a {type(declared).__name__}; expected an EventType")
        if declared.topic in found:
            taken = found[declared.topic].name
            said = f"{path}: topic {declared.topic!r} is already taken by {taken}; rename one"
            raise BrokenDeclaration(said)
        found[declared.topic] = declared
    return MappingProxyType(dict(sorted(found.items())))
