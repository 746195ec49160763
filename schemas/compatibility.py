"""Tells whether a contract may change: what is sent must be read, what was promised must be kept.

Two directions, one rule. Inbound, the new schema must allow everything the old one allowed, since producers
out there go on as before. Outbound, the old schema must allow everything the new one allows, since
consumers were built on it. So both come down to: does one schema (`wide`) allow all that another one
(`narrow`) allows?

Covers the JSON Schema that msgspec writes: type, enum, const, anyOf, $ref, properties, required, items,
additionalProperties, bounds, lengths, pattern and default. Descriptions are free to change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any, Literal

Schema = dict[str, Any]

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
EXACT = ("pattern", "format", "multipleOf", "contentEncoding")
REMEDY = "undo it, or raise VERSION in schemas/contract.py and release a new baseline"


@dataclass(frozen=True)
class Breach:
    """One incompatible change.

    Attributes:
        contract: slug of the contract; path: JSON path of the field; rule: short name of what is broken;
        detail: what it was, what it is, and who suffers.
    """

    contract: str
    path: str
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.contract} {self.path}: {self.rule}: {self.detail}; {REMEDY}"


@dataclass(frozen=True)
class _Gap:
    """Something `narrow` allows and `wide` does not."""

    path: str
    what: str
    wide: Any
    narrow: Any


def compare(
    contract: str, old: Schema, new: Schema, direction: Literal["inbound", "outbound", "both"]
) -> list[Breach]:
    """Every incompatible change from `old` to `new`; empty when there is none.

    Args:
        contract: its name, for the messages.
        old, new: whole JSON Schemas with their `$defs`.
        direction: who writes the records; `both` applies both rules.
    """
    found = [
        Breach(contract, path, rule, detail)
        for path, rule, detail in _lost(_Side(old, old), _Side(new, new), "$")
    ]
    if direction in ("inbound", "both"):
        for gap in _gaps(_Side(new, new), _Side(old, old), "$"):
            detail = f"{gap.narrow} was accepted, now only {gap.wide}; producers still send it"
            found.append(Breach(contract, gap.path, f"narrowed {gap.what}", detail))
    if direction in ("outbound", "both"):
        for gap in _gaps(_Side(old, old), _Side(new, new), "$"):
            detail = f"{gap.wide} was promised, now {gap.narrow}; consumers do not expect it"
            found.append(Breach(contract, gap.path, f"widened {gap.what}", detail))
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Side:
    """A piece of schema with the document that its references point into."""

    root: Schema
    piece: Any

    def at(self, piece: Any) -> "_Side":
        return _Side(self.root, piece)

    def alternatives(self) -> list[Schema]:
        """The piece without references, unions and lists of types: any one of these."""
        piece = self.piece
        if "$ref" in piece:
            return self.at(self.root["$defs"][piece["$ref"].rpartition("/")[2]]).alternatives()
        if "anyOf" in piece:
            return [one for part in piece["anyOf"] for one in self.at(part).alternatives()]
        if isinstance(piece.get("type"), list):
            return [piece | {"type": one} for one in piece["type"]]
        if "const" in piece:
            return [piece | {"enum": [piece["const"]]}]
        return [piece]


def _lost(old: _Side, new: _Side, path: str) -> Iterator[tuple[str, str, str]]:
    """Fields that are gone and defaults that changed: wrong in every direction."""
    for before, after in _pairs(old, new):
        fields, now = before.get("properties", {}), after.get("properties", {})
        for name, field in fields.items():
            here = f"{path}.{name}"
            if name not in now:
                yield here, "removed field", "the field is gone, and those who use it are not told"
                continue
            if "default" in field and field["default"] != now[name].get("default", field["default"]):
                detail = f"absent meant {field['default']}, now {now[name]['default']}"
                yield here, "changed default", detail
            yield from _lost(old.at(field), new.at(now[name]), here)
        if isinstance(before.get("items"), dict) and isinstance(after.get("items"), dict):
            yield from _lost(old.at(before["items"]), new.at(after["items"]), f"{path}[]")


def _pairs(old: _Side, new: _Side) -> Iterator[tuple[Schema, Schema]]:
    for before in old.alternatives():
        for after in new.alternatives():
            if before.get("type") == after.get("type") and before.get("type") in ("object", "array"):
                yield before, after


def _gaps(wide: _Side, narrow: _Side, path: str) -> Iterator[_Gap]:
    """What `narrow` allows and `wide` does not, as close to the place as it can be told."""
    options = wide.alternatives()
    for one in narrow.alternatives():
        fitting = [option for option in options if _same_type(option, one)]
        if not fitting:
            yield _Gap(path, "type", [_type(option) for option in options], _type(one))
            continue
        tried = [list(_differences(wide.at(option), narrow.at(one), path)) for option in fitting]
        if all(tried):
            yield from min(tried, key=len)


def _same_type(wide: Schema, narrow: Schema) -> bool:
    wanted, given = _type(wide), _type(narrow)
    return wanted == "any" or wanted == given or (wanted == "number" and given == "integer")


def _type(piece: Schema) -> str:
    if "type" in piece:
        return str(piece["type"])
    kinds = {"string" if isinstance(value, str) else "number" for value in piece.get("enum", ())}
    return kinds.pop() if len(kinds) == 1 else "any"


def _differences(wide: _Side, narrow: _Side, path: str) -> Iterator[_Gap]:
    """Gaps between two alternatives of the same type."""
    a, b = wide.piece, narrow.piece
    if "enum" in a:
        extra = [value for value in b.get("enum", ["any value"]) if value not in a["enum"]]
        if extra:
            yield _Gap(path, "enum", a["enum"], extra)
    yield from _bounds(a, b, path)
    if _type(a) == "object":
        yield from _object_gaps(wide, narrow, path)
    if isinstance(a.get("items"), dict):
        yield from _gaps(wide.at(a["items"]), narrow.at(b.get("items", {})), f"{path}[]")


def _bounds(a: Schema, b: Schema, path: str) -> Iterator[_Gap]:
    for name in LOWER:
        if name in a and _lower(b, name) < (a[name], name == "exclusiveMinimum"):
            yield _Gap(path, name, a[name], b.get(name, f"no {name}"))
    for name in UPPER:
        if name in a and _upper(b, name) > (a[name], name != "exclusiveMaximum"):
            yield _Gap(path, name, a[name], b.get(name, f"no {name}"))
    for name in EXACT:
        if name in a and a[name] != b.get(name):
            yield _Gap(path, name, a[name], b.get(name, f"no {name}"))


def _lower(piece: Schema, name: str) -> tuple[float, bool]:
    """The lower bound and whether it is exclusive: a looser one is smaller; minus infinity when none."""
    names = ("minimum", "exclusiveMinimum") if name in ("minimum", "exclusiveMinimum") else (name,)
    return max(
        ((piece[one], one == "exclusiveMinimum") for one in names if one in piece), default=(-inf, False)
    )


def _upper(piece: Schema, name: str) -> tuple[float, bool]:
    """The upper bound and whether it is inclusive: a looser one is larger; infinity when there is none."""
    names = ("maximum", "exclusiveMaximum") if name in ("maximum", "exclusiveMaximum") else (name,)
    return min(
        ((piece[one], one != "exclusiveMaximum") for one in names if one in piece), default=(inf, True)
    )


def _object_gaps(wide: _Side, narrow: _Side, path: str) -> Iterator[_Gap]:
    a, b = wide.piece, narrow.piece
    fields, given = a.get("properties", {}), b.get("properties", {})
    for name in sorted(set(a.get("required", ())) - set(b.get("required", ()))):
        yield _Gap(f"{path}.{name}", "required", "required", "optional" if name in given else "absent")
    rest = a.get("additionalProperties", True)
    for name, field in given.items():
        here = f"{path}.{name}"
        if name in fields:
            yield from _gaps(wide.at(fields[name]), narrow.at(field), here)
        elif rest is False:
            yield _Gap(here, "fields", "no other fields", name)
        elif isinstance(rest, dict):
            yield from _gaps(wide.at(rest), narrow.at(field), here)
    other = b.get("additionalProperties", True)
    if rest is False and other is not False:
        yield _Gap(path, "fields", "no other fields", "any other field")
    elif isinstance(rest, dict) and other is not False:
        yield from _gaps(wide.at(rest), narrow.at({} if other is True else other), f"{path}.*")
