"""The file a replay writes: whole, in order, and a clear word when it cannot be written."""

from pathlib import Path

import polars as pl
import pytest

from stream.errors import JobFailed
from stream.replay.rows import SCHEMA
from stream.replay.run import Sink


def numbered(first: int, count: int) -> pl.DataFrame:
    """Scores that differ by their event."""
    columns = {name: [None] * count for name in SCHEMA}
    return pl.DataFrame({**columns, "event_id": [f"e{first + row}" for row in range(count)]}, schema=SCHEMA)


def test_frames_are_written_in_the_order_they_came_in(tmp_path: Path):
    """They are written by a thread of their own, one list behind the other."""
    path = tmp_path / "scores.parquet"
    sink = Sink(path, keep=True)
    frames = [numbered(100 * place, 100) for place in range(30)]
    for place in range(0, 30, 2):
        sink.write(frames[place : place + 2])
    sink.close()
    assert pl.read_parquet(path).equals(pl.concat(frames))
    assert sink.frame().equals(pl.concat(frames))


def test_an_empty_replay_leaves_an_empty_file_with_its_columns(tmp_path: Path):
    """Who reads the file afterwards finds it, and its columns."""
    path = tmp_path / "scores.parquet"
    Sink(path, keep=False).close()
    assert dict(pl.read_parquet_schema(path)) == SCHEMA


@pytest.mark.parametrize("rows", [10, 200_000], ids=["when the file is ended", "when a part is written"])
def test_a_full_disk_is_told_with_the_file(rows: int):
    """The error comes from another thread, and must not get lost there."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here: a system other than Linux")
    sink = Sink(full, keep=False)
    with pytest.raises(JobFailed, match=r"/dev/full: .*No space left.*choose another --out"):
        try:
            sink.write([numbered(0, rows)])
        finally:
            sink.close()


def test_a_file_in_a_folder_that_is_not_there_is_told(tmp_path: Path):
    """A replay of an hour that cannot be written says so, with the way out."""
    sink = Sink(tmp_path / "missing" / "scores.parquet", keep=False)
    sink.write([numbered(0, 1)])
    with pytest.raises(JobFailed, match=r"missing.*choose another --out"):
        sink.close()
