"""Opens Parquet, CSV and JSON lines as batches of columns; text formats keep every value as text.

Nothing is guessed from text: an account "00123" stays one, and numbers are read only where a field wants a
number. Every batch has the column `__row` (row of the file, from 0, header not counted) and, where lines are
broken, `__refused` with reason, path and detail separated by tabs.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec
import polars as pl

from schemas.codec import refusal
from schemas.dead_letter import Reason
from scoring.files.errors import UnreadableFile

Format = Literal["parquet", "csv", "jsonl"]
ROW = "__row"
REFUSED = "__refused"
_SUFFIXES: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_HEAD_LINES = 100
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """One file that has been opened.

    Attributes:
        types: polars type of every column; of JSON lines, the names met in the first lines.
        separator: of CSV.
    """

    path: Path
    format: Format
    types: dict[str, pl.DataType]
    separator: str

    def batches(self, columns: Sequence[str], *, rows: int, from_row: int = 0) -> Iterator[pl.DataFrame]:
        """Batches of about `rows` rows of these columns with `__row`, in order, from row `from_row` on.

        Raises:
            UnreadableFile: the file breaks off or a line does not fit the format.
        """
        if self.format == "jsonl":
            yield from _json_batches(self.path, columns, rows=rows, from_row=from_row)
            return
        try:
            scan = (
                _scan(self.path, self.format, self.separator)
                .select(columns)
                .with_row_index(ROW)
                .slice(from_row)
            )
            yield from scan.collect_batches(chunk_size=rows, maintain_order=True)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise unreadable(self.path, error) from None


def open_source(path: Path, *, separator: str = ",") -> Source:
    """The file with its columns; the format is told by the suffix, else by the first bytes.

    Raises:
        UnreadableFile: there is no such file, it is empty, or it is none of the three formats.
    """
    try:
        kind = _SUFFIXES.get(path.suffix.lower()) or _format_of(path)
        separator = "\t" if path.suffix.lower() == ".tsv" and separator == "," else separator
        if kind == "jsonl":
            return Source(path, kind, _json_types(path), separator)
        return Source(path, kind, dict(_scan(path, kind, separator).collect_schema()), separator)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise unreadable(path, error) from None


def digest_of(paths: Sequence[Path]) -> str:
    """First 12 hex digits of the SHA-256 of the files' bytes, one after the other.

    Raises:
        UnreadableFile: a file cannot be read.
    """
    whole = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                while part := file.read(_READ_BYTES):
                    whole.update(part)
        except OSError as error:
            raise unreadable(path, error) from None
    return whole.hexdigest()[:12]


def unreadable(path: Path, error: Exception) -> UnreadableFile:
    """The error of a file that the system or polars could not read, in one line."""
    said = (
        error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip().split("\n")[0]
    )
    return UnreadableFile(f"{path}: {said}; expected Parquet, CSV with a header line, or JSON lines")


def _scan(path: Path, kind: Format, separator: str) -> pl.LazyFrame:
    if not path.is_file():
        raise FileNotFoundError(2, "no such file", str(path))
    # glob off: a file name with [brackets] is a name, not a pattern
    if kind == "parquet":
        return pl.scan_parquet(path, glob=False)
    return pl.scan_csv(path, separator=separator, infer_schema=False, glob=False)


def _format_of(path: Path) -> Format:
    with path.open("rb") as file:
        head = file.read(64).lstrip()
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if head.startswith(b"{") else "csv"


def _json_types(path: Path) -> dict[str, pl.DataType]:
    names: dict[str, pl.DataType] = {}
    with path.open("rb") as file:
        for line in islice(file, _HEAD_LINES):
            try:
                value = msgspec.json.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # reported with its row when it is read
            if isinstance(value, dict):
                names |= dict.fromkeys(value, pl.String())
    return names


def _json_batches(path: Path, columns: Sequence[str], *, rows: int, from_row: int) -> Iterator[pl.DataFrame]:
    try:
        with path.open("rb") as file:
            numbered = islice(enumerate(file), from_row, None)
            while lines := [(row, line) for row, line in islice(numbered, rows) if line.strip()]:
                yield _json_batch(lines, columns)
    except OSError as error:
        raise unreadable(path, error) from None


def _json_batch(lines: list[tuple[int, bytes]], columns: Sequence[str]) -> pl.DataFrame:
    objects: list[dict[str, object]] = []
    refused: list[str | None] = []
    for _, line in lines:
        found, problem = _json_object(line)
        objects.append(found)
        refused.append(problem)
    data: dict[str, pl.Series] = {ROW: pl.Series([row for row, _ in lines], dtype=pl.UInt32)}
    for name in columns:
        data[name] = pl.Series([_as_text(each.get(name)) for each in objects], dtype=pl.String)
    data[REFUSED] = pl.Series(refused, dtype=pl.String)
    return pl.DataFrame(data)


def _json_object(line: bytes) -> tuple[dict[str, object], str | None]:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        said = refusal(error, line)
        return {}, f"{said.reason}\t{said.path}\t{said.detail}"
    if not isinstance(value, dict):
        return {}, f"{Reason.WRONG_TYPE}\t$\tExpected `object`, got `{type(value).__name__}`"
    return value, None


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
