"""Finds the uses that the demo shows by their files: no list to edit."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import stream.demo.uses
from schemas.catalog import BrokenDeclaration
from stream.demo.use import Use
from stream.errors import JobFailed


@cache
def uses() -> Mapping[str, Use]:
    """Every use by name, in order of the name.

    Raises:
        BrokenDeclaration: a file of `stream/demo/uses/` fails to import or lacks a usable `USE`.
    """
    found: dict[str, Use] = {}
    for module in sorted(pkgutil.iter_modules(stream.demo.uses.__path__), key=lambda each: each.name):
        path = f"stream/demo/uses/{module.name}.py"
        try:
            declared = importlib.import_module(f"stream.demo.uses.{module.name}").USE
        except Exception as cause:
            raise BrokenDeclaration(f"{path}: {type(cause).__name__}: {cause}; fix or remove the file") from cause
        if not isinstance(declared, Use):
            raise BrokenDeclaration(f"{path}: USE is a {type(declared).__name__}; expected a Use")
        found[module.name] = dataclasses.replace(declared, name=module.name)
    return MappingProxyType(found)


def use_named(name: str) -> Use:
    """The use of this name.

    Raises:
        JobFailed: there is none; the text lists those there are.
    """
    try:
        known = uses()
    except BrokenDeclaration as broken:
        raise JobFailed(str(broken)) from broken
    if name not in known:
        raise JobFailed(f"no use {name!r}; the demo shows {', '.join(known)}")
    return known[name]
