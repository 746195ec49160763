"""Reads Parquet, CSV and JSON lines into validated events; the same for feed, replay and training."""

from scoring.files.errors import BadMapping, UnreadableFile
from scoring.files.mapping import Mapping
from scoring.files.mapping_file import read_mapping, shipped_mappings
from scoring.files.reader import read_events
from scoring.files.rows import Chunk, RefusedRow

__all__ = [
    "BadMapping",
    "Chunk",
    "Mapping",
    "RefusedRow",
    "UnreadableFile",
    "read_events",
    "read_mapping",
    "shipped_mappings",
]
