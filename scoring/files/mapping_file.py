"""Finds and reads mapping files: shipped ones by name, others by path."""

import tomllib
from pathlib import Path

import msgspec

from scoring.files.errors import BadMapping
from scoring.files.mapping import Mapping, checked

SHIPPED = Path(__file__).parent / "mappings"


def shipped_mappings() -> dict[str, Path]:
    """The path of every shipped mapping by its name, in order of the name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def read_mapping(name_or_path: str | Path) -> Mapping:
    """The mapping of this name among the shipped ones, or of this TOML file.

    Raises:
        BadMapping: there is none, it is no TOML, or a part of it is unknown or wrong.

    >>> read_mapping("online_retail").event
    'Transaction'
    """
    shipped = shipped_mappings()
    path = shipped.get(str(name_or_path), Path(name_or_path))
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        mapping = msgspec.convert(content | {"name": str(name_or_path)}, Mapping)
    except OSError as error:
        raise BadMapping(
            f"mapping {name_or_path}: {error.strerror}; give the path of a TOML file, or one of "
            f"{', '.join(shipped)}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(f"mapping {name_or_path}: {error}; it must be TOML") from None
    except msgspec.ValidationError as error:
        raise BadMapping(f"mapping {name_or_path}: {error}; correct the file") from None
    return checked(mapping)
