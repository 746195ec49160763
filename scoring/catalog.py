"""Finds views and scorers by their files; a broken declaration stops the start with the file and the cause."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any

import scoring.scorers
import scoring.views
from schemas.catalog import BrokenDeclaration
from scoring.features.plan import plan_of
from scoring.features.spec import FeatureView
from scoring.scorer import Scorer

__all__ = ["BrokenDeclaration", "UnknownScorer", "scorers", "selected", "views"]


class UnknownScorer(Exception):
    """A scorer was named that no file declares."""


@cache
def views() -> Mapping[str, FeatureView]:
    """Every feature view by name.

    Raises:
        BrokenDeclaration: a file of `scoring/views/` fails to import or lacks a usable `VIEW`.
    """
    found: dict[str, FeatureView] = {}
    for name, view in _declared(scoring.views, "VIEW", FeatureView):
        if view.name != name:
            raise BrokenDeclaration(f"scoring/views/{name}.py: VIEW is named {view.name!r}; name it {name!r}")
        try:
            plan_of(view)
        except ValueError as cause:
            raise BrokenDeclaration(f"scoring/views/{name}.py: {cause}") from cause
        found[name] = view
    check_carried(found.values())
    return MappingProxyType(found)


def check_carried(views: Iterable[FeatureView]) -> None:
    """Refuses views of one internal topic that carry different views: its records have the features of one.

    Raises:
        BrokenDeclaration: there are such.
    """
    carrying: dict[str, FeatureView] = {}
    for view in views:
        if view.event.origin is None:
            continue
        first = carrying.setdefault(view.event.topic, view)
        if first.carries is not view.carries:
            names = [other.carries.name if other.carries else "none" for other in (first, view)]
            raise BrokenDeclaration(
                f"scoring/views/{view.name}.py: carries {names[1]}, while {first.name} of the same topic "
                f"{view.event.topic} carries {names[0]}; give one of them an internal topic of its own"
            )


@cache
def scorers() -> Mapping[str, Scorer]:
    """Every scorer by name, live ones before challengers in each topic.

    Raises:
        BrokenDeclaration: a file of `scoring/scorers/` fails to import or lacks a usable `SCORER`.
    """
    found = [
        dataclasses.replace(scorer, name=name)
        for name, scorer in _declared(scoring.scorers, "SCORER", Scorer)
    ]
    known = views()
    for scorer in found:
        for view in scorer.views:
            if known.get(view.name) is not view:
                raise BrokenDeclaration(
                    f"scoring/scorers/{scorer.name}.py: view {view.name!r} is not declared in scoring/views/"
                )
    return MappingProxyType(
        {scorer.name: scorer for scorer in sorted(found, key=lambda s: (s.topic, s.shadow, s.name))}
    )


def selected(names: Iterable[str]) -> Mapping[str, Scorer]:
    """The named scorers, or all of them when none is named.

    Raises:
        UnknownScorer: a name that no file declares.
    """
    wanted, known = tuple(names), scorers()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UnknownScorer(f"no scorer {', '.join(unknown)}; declared are {', '.join(known)}")
    return MappingProxyType({name: scorer for name, scorer in known.items() if not wanted or name in wanted})


def _declared(package: ModuleType, attribute: str, kind: type[Any]) -> list[tuple[str, Any]]:
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        path = f"{package.__name__.replace('.', '/')}/{module.name}.py"
        try:
            declared = getattr(importlib.import_module(f"{package.__name__}.{module.name}"), attribute)
        except Exception as cause:
            raise BrokenDeclaration(
                f"{path}: {type(cause).__name__}: {cause}; fix or remove the file"
            ) from cause
        if not isinstance(declared, kind):
            raise BrokenDeclaration(
                f"{path}: {attribute} is a {type(declared).__name__}; expected a {kind.__name__}"
            )
        found.append((module.name, declared))
    return found
