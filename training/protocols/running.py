"""Runs all shipped protocols on a folder of data, and writes what they say."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from training.protocols.page import Result, page_html
from training.protocols.protocol import Ground, Read, Told, read_protocol, shipped_names

PAGE = "index.html"
COMMAND = "riskstream evaluate --all --data DATA --out OUT"


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
