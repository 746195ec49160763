"""Each kind of incompatible change is refused with the place and the reason, and compatible ones are not."""

from copy import deepcopy
from typing import Annotated, Any, Literal

import msgspec
import pytest

from schemas.compatibility import Schema, compare

OLD: Schema = {
    "$ref": "#/$defs/Thing",
    "$defs": {
        "Thing": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 10, "pattern": "^a"},
                "size": {"type": "number", "minimum": 0, "maximum": 5},
                "count": {"type": "integer"},
                "kind": {"enum": ["big", "small"]},
                "note": {"anyOf": [{"type": "string", "maxLength": 4}, {"type": "null"}], "default": None},
                "tags": {"type": "array", "items": {"enum": ["x", "y"]}, "default": []},
                "parts": {"type": "object", "additionalProperties": {"type": "number"}},
                "place": {"$ref": "#/$defs/Place"},
            },
            "required": ["name", "size"],
        },
        "Place": {
            "type": "object",
            "properties": {"row": {"type": "integer", "minimum": 0}, "column": {"type": "integer"}},
            "required": ["row"],
        },
    },
}


def changed(place: str, **fields: Any) -> Schema:
    """`OLD` with the fields of one definition or property set; None takes a field away."""
    new = deepcopy(OLD)
    definition, _, name = place.partition(".")
    target = new["$defs"][definition]
    if name:
        target = target["properties"].setdefault(name, {})
    for key, value in fields.items():
        if value is None:
            target.pop(key)
        else:
            target[key] = value
    return new


def without(definition: str, name: str) -> Schema:
    new = deepcopy(OLD)
    del new["$defs"][definition]["properties"][name]
    return new


STRING_OR_NULL = [{"type": "string", "maxLength": 4}, {"type": "null"}]

# what changed, in which direction it is refused, the path and a word of the rule
REFUSED: dict[str, tuple[Schema, str, str, str]] = {
    "removed field, read": (without("Thing", "count"), "inbound", "$.count", "removed field"),
    "removed field, sent": (without("Thing", "count"), "outbound", "$.count", "removed field"),
    "removed nested field": (without("Place", "column"), "outbound", "$.place.column", "removed field"),
    "changed type, read": (changed("Thing.count", type="string"), "inbound", "$.count", "narrowed type"),
    "changed type, sent": (changed("Thing.count", type="string"), "outbound", "$.count", "widened type"),
    "number becomes integer, read": (
        changed("Thing.size", type="integer"),
        "inbound",
        "$.size",
        "narrowed type",
    ),
    "integer becomes number, sent": (
        changed("Thing.count", type="number"),
        "outbound",
        "$.count",
        "widened type",
    ),
    "null taken away, read": (
        changed("Thing.note", anyOf=STRING_OR_NULL[:1]),
        "inbound",
        "$.note",
        "narrowed type",
    ),
    "null added, sent": (
        changed("Thing.count", type=["integer", "null"]),
        "outbound",
        "$.count",
        "widened type",
    ),
    "optional becomes required, read": (
        changed("Thing", required=["name", "size", "count"]),
        "inbound",
        "$.count",
        "narrowed required",
    ),
    "required becomes optional, sent": (
        changed("Thing", required=["name"]),
        "outbound",
        "$.size",
        "widened required",
    ),
    "minimum raised, read": (changed("Thing.size", minimum=1), "inbound", "$.size", "narrowed minimum"),
    "minimum made exclusive, read": (
        changed("Thing.size", minimum=None, exclusiveMinimum=0),
        "inbound",
        "$.size",
        "narrowed exclusiveMinimum",
    ),
    "maximum made exclusive, read": (
        changed("Thing.size", maximum=None, exclusiveMaximum=5),
        "inbound",
        "$.size",
        "narrowed exclusiveMaximum",
    ),
    "minimum lowered, sent": (changed("Thing.size", minimum=-1), "outbound", "$.size", "widened minimum"),
    "minimum taken away, sent": (
        changed("Thing.size", minimum=None),
        "outbound",
        "$.size",
        "widened minimum",
    ),
    "maximum lowered, read": (changed("Thing.size", maximum=4), "inbound", "$.size", "narrowed maximum"),
    "maximum raised, sent": (changed("Thing.size", maximum=9), "outbound", "$.size", "widened maximum"),
    "new bound, read": (changed("Thing.count", minimum=0), "inbound", "$.count", "narrowed minimum"),
    "shorter text, read": (changed("Thing.name", maxLength=9), "inbound", "$.name", "narrowed maxLength"),
    "longer text, sent": (changed("Thing.name", maxLength=11), "outbound", "$.name", "widened maxLength"),
    "longer least text, read": (
        changed("Thing.name", minLength=2),
        "inbound",
        "$.name",
        "narrowed minLength",
    ),
    "other pattern, read": (changed("Thing.name", pattern="^b"), "inbound", "$.name", "narrowed pattern"),
    "pattern taken away, sent": (
        changed("Thing.name", pattern=None),
        "outbound",
        "$.name",
        "widened pattern",
    ),
    "shorter optional text, read": (
        changed("Thing.note", anyOf=[{"type": "string", "maxLength": 3}, {"type": "null"}]),
        "inbound",
        "$.note",
        "narrowed maxLength",
    ),
    "fewer values, read": (changed("Thing.kind", enum=["big"]), "inbound", "$.kind", "narrowed enum"),
    "more values, sent": (
        changed("Thing.kind", enum=["big", "small", "huge"]),
        "outbound",
        "$.kind",
        "widened enum",
    ),
    "more values in a list, sent": (
        changed("Thing.tags", items={"enum": ["x", "y", "z"]}),
        "outbound",
        "$.tags[]",
        "widened enum",
    ),
    "fewer values in a list, read": (
        changed("Thing.tags", items={"enum": ["x"]}),
        "inbound",
        "$.tags[]",
        "narrowed enum",
    ),
    "any text instead of values, sent": (
        changed("Thing.kind", enum=None, type="string"),
        "outbound",
        "$.kind",
        "widened enum",
    ),
    "values instead of any text, read": (
        changed("Thing.name", enum=["a"]),
        "inbound",
        "$.name",
        "narrowed enum",
    ),
    "nested bound, read": (changed("Place.row", minimum=1), "inbound", "$.place.row", "narrowed minimum"),
    "map of other values, sent": (
        changed("Thing.parts", additionalProperties={"type": "string"}),
        "outbound",
        "$.parts.*",
        "widened type",
    ),
    "closed to other fields, read": (
        changed("Thing", additionalProperties=False),
        "inbound",
        "$",
        "narrowed fields",
    ),
    "changed default, read": (changed("Thing.tags", default=["x"]), "inbound", "$.tags", "changed default"),
    "changed default, sent": (changed("Thing.tags", default=["x"]), "outbound", "$.tags", "changed default"),
}

ALLOWED: dict[str, tuple[Schema, str]] = {
    "nothing changed, read": (OLD, "inbound"),
    "nothing changed, sent": (OLD, "outbound"),
    "new optional field, read": (changed("Thing.colour", type="string"), "inbound"),
    "new optional field, sent": (changed("Thing.colour", type="string"), "outbound"),
    "wider range, read": (changed("Thing.size", minimum=-1, maximum=9), "inbound"),
    "narrower range, sent": (changed("Thing.size", minimum=1, maximum=2), "outbound"),
    "more values, read": (changed("Thing.kind", enum=["big", "small", "huge"]), "inbound"),
    "fewer values, sent": (changed("Thing.kind", enum=["big"]), "outbound"),
    "null added, read": (changed("Thing.count", type=["integer", "null"]), "inbound"),
    "null never sent any more": (changed("Thing.note", anyOf=STRING_OR_NULL[:1]), "outbound"),
    "integer becomes number, read": (changed("Thing.count", type="number"), "inbound"),
    "required becomes optional, read": (changed("Thing", required=["name"]), "inbound"),
    "optional always sent": (changed("Thing", required=["name", "size", "count"]), "outbound"),
    "exclusive minimum of the same value, sent": (
        changed("Thing.size", minimum=None, exclusiveMinimum=0),
        "outbound",
    ),
    "exclusive maximum of a smaller value, sent": (
        changed("Thing.size", maximum=None, exclusiveMaximum=4),
        "outbound",
    ),
    "other words": (changed("Thing.size", description="how large"), "both"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_incompatible_change_is_refused_with_its_place(case: str) -> None:
    """The message is all that its author sees; it must name the field, the rule and what to do."""
    new, direction, path, rule = REFUSED[case]
    found = compare("thing", OLD, new, direction)  # type: ignore[arg-type]
    assert (path, rule) in [(breach.path, breach.rule) for breach in found]
    for breach in found:
        assert str(breach).startswith(f"thing {breach.path}: {breach.rule}: ")
        assert "VERSION" in str(breach)


@pytest.mark.parametrize("case", ALLOWED)
def test_a_compatible_change_passes(case: str) -> None:
    """A check that cries wolf is switched off."""
    new, direction = ALLOWED[case]
    assert compare("thing", OLD, new, direction) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("case", REFUSED)
def test_both_directions_refuse_what_one_refuses(case: str) -> None:
    """A record that later versions of ourselves read is bound from both sides."""
    new, direction, _, _ = REFUSED[case]
    one = compare("thing", OLD, new, direction)  # type: ignore[arg-type]
    assert set(one) <= set(compare("thing", OLD, new, "both"))


def test_a_new_required_field_is_refused_inbound_and_fine_outbound() -> None:
    """Producers do not know it yet; consumers ignore it."""
    new = changed("Thing", required=["name", "size", "colour"])
    new["$defs"]["Thing"]["properties"]["colour"] = {"type": "string"}
    assert [breach.path for breach in compare("thing", OLD, new, "inbound")] == ["$.colour"]
    assert compare("thing", OLD, new, "outbound") == []


def test_the_rules_hold_for_the_schemas_that_our_structs_give() -> None:
    """The rules were written for msgspec's output; this goes through it."""
    Old = msgspec.defstruct(
        "S", [("level", Literal["none", "watch"]), ("value", Annotated[float, msgspec.Meta(ge=0)])]
    )
    New = msgspec.defstruct(
        "S", [("level", Literal["none", "watch", "alert"]), ("value", Annotated[float, msgspec.Meta(gt=0)])]
    )
    old, new = msgspec.json.schema(Old), msgspec.json.schema(New)
    assert [breach.rule for breach in compare("s", old, new, "outbound")] == ["widened enum"]
    assert [breach.path for breach in compare("s", old, new, "inbound")] == ["$.value"]
