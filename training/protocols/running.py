"""Runs all shipped protocols on a folder of data, and writes what they say; or the page of what they once said."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from training.errors import TrainingRefused
from training.protocols.outcome import read_outcomes
from training.protocols.page import Result, page_html
from training.protocols.protocol import Ground, Read, Told, read_protocol, shipped_names

PAGE = "index.html"
COMMAND = "riskstream evaluate --all --data DATA --out OUT"
AGAIN = "riskstream evaluate --all --from {folder} --out {folder}"


def run_all(data: Path, out: Path, told: Told) -> list[Result]:
    """Runs every shipped protocol whose files are below `data`; writes a JSON file for each, and the page.

    Raises:
        TrainingRefused, BadMapping, UnreadableFile: as the protocols say.
    """
    out.mkdir(parents=True, exist_ok=True)
    results = []
    for name in shipped_names():
        read = read_protocol(name)
        result = _run(read, data, told)
        if result.outcomes:
            (out / f"{name}.json").write_bytes(as_json(result.outcomes))
        results.append(result)
    (out / PAGE).write_text(page_html(results, COMMAND), encoding="utf-8")
    return results


def page_again(folder: Path, out: Path) -> list[Result]:
    """Writes the page of what earlier runs of the shipped protocols left in a folder, a JSON file for each.

    Raises:
        TrainingRefused: a file holds something else, or there is none; names it.
    """
    results = [_left(read_protocol(name), folder) for name in shipped_names()]
    if not any(result.outcomes for result in results):
        raise TrainingRefused(f"{folder}: no result of a protocol there; expected {', '.join(shipped_names())} as .json")
    out.mkdir(parents=True, exist_ok=True)
    (out / PAGE).write_text(page_html(results, AGAIN.format(folder=folder.as_posix())), encoding="utf-8")
    return results


def _left(read: Read, folder: Path) -> Result:
    path = folder / f"{read.name}.json"
    try:
        return Result(read, tuple(read_outcomes(path.read_bytes())))
    except FileNotFoundError:
        return Result(read, missing=f"there is no {path.name}; it is run on {read.protocol.data}")
    except msgspec.DecodeError as error:
        raise TrainingRefused(f"{path}: {error}; write it with evaluate --protocol {read.name} --json") from None


def as_json(outcomes: Sequence[object]) -> bytes:
    """Outcomes as people and programs read them, a line per field."""
    return msgspec.json.format(msgspec.json.encode(outcomes), indent=1) + b"\n"


def _run(read: Read, data: Path, told: Told) -> Result:
    found = {name: sorted(data.rglob(name)) for name in read.protocol.files}
    missing = [name for name, paths in found.items() if not paths]
    if missing or not found:
        said = f"no {', '.join(missing)} below the folder of data" if missing else "it names no files"
        return Result(read, missing=f"{said}; expected {read.protocol.data}")
    files = tuple(paths[0] for paths in found.values())
    outcomes = read.run(Ground(files, read.protocol.map, lambda said: told(f"{read.name}: {said}")))
    return Result(read, tuple(outcomes))
