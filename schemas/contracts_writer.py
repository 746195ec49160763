"""Writes the generated contracts: one JSON Schema per struct and the AsyncAPI document.

    python -m schemas.contracts_writer             writes schemas/contracts/
    python -m schemas.contracts_writer --check     exit code 1 if a file differs or a change is incompatible
    python -m schemas.contracts_writer --release   keeps the JSON Schemas as the baseline of the present
    version

The baseline in `released/<version>/` is what users build on; `schemas.compatibility` holds every later
change to it.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas import asyncapi
from schemas.compatibility import Breach, compare
from schemas.contract import VERSION, Contract, contracts, json_schema

FOLDER = Path(__file__).parent / "contracts"
ASYNCAPI_FILE = "asyncapi.json"
SUFFIX = ".schema.json"


def files() -> dict[str, str]:
    """Text of every generated file by its name, as of the code."""
    made = {f"{slug}{SUFFIX}": json_schema(contract) for slug, contract in contracts().items()}
    made[ASYNCAPI_FILE] = asyncapi.document()
    return {
        name: json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        for name, content in sorted(made.items())
    }


def write(folder: Path = FOLDER) -> list[str]:
    """Names of the files that changed, after writing all and removing what is generated no more."""
    changed = stale(folder)
    current = files()
    for name in changed:
        if name in current:
            (folder / name).write_text(current[name])
        else:
            (folder / name).unlink()
    return changed


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of the files in which the folder differs from the code: missing, other, or generated no more."""
    current = files()
    present = {path.name: path.read_text() for path in folder.glob("*.json")}
    return sorted(name for name in current.keys() | present.keys() if current.get(name) != present.get(name))


def baseline(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """The JSON Schemas of the present version's baseline by slug; empty while it has none."""
    released = folder / "released" / str(VERSION)
    return {
        path.name.removesuffix(SUFFIX): json.loads(path.read_text()) for path in released.glob(f"*{SUFFIX}")
    }


def breaches(old: Mapping[str, dict[str, Any]], now: Mapping[str, Contract]) -> list[Breach]:
    """Every incompatible change of `now` against the baseline `old`, a contract that is gone included."""
    found: list[Breach] = []
    for slug, schema in sorted(old.items()):
        contract = now.get(slug)
        if contract is None:
            found.append(
                Breach(slug, "$", "removed contract", "the struct is gone; keep it until the next version")
            )
        else:
            found += compare(slug, schema, json_schema(contract), contract.direction)
    return found


def release(folder: Path = FOLDER) -> Path:
    """The new baseline folder of the present version.

    Raises:
        FileExistsError: the version has a baseline; raise `schemas.contract.VERSION` for a new one.
    """
    target = folder / "released" / str(VERSION)
    if target.exists():
        raise FileExistsError(
            f"{target} exists; raise VERSION in schemas/contract.py to release incompatible changes"
        )
    target.mkdir(parents=True)
    for name, text in files().items():
        if name != ASYNCAPI_FILE:
            (target / name).write_text(text)
    return target


def main() -> None:
    """Runs the command line; exits 1 when `--check` finds something."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing; compare files and baseline")
    what.add_argument("--release", action="store_true", help="keep the present schemas as the baseline")
    given = parser.parse_args()
    if given.release:
        print(release())
        return
    wrong = [str(breach) for breach in breaches(baseline(), contracts())]
    if given.check:
        wrong += [
            f"{name} differs from the structs; run: python -m schemas.contracts_writer" for name in stale()
        ]
    else:
        print("\n".join(write()) or "nothing changed")
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
