"""Errors of reading files; each names the thing, what was found, and the remedy."""


class BadMapping(Exception):
    """A mapping cannot be read, or does not fit the file or the event type."""


class UnreadableFile(Exception):
    """A file cannot be read as Parquet, CSV or JSON lines."""
