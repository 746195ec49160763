"""Replaces identifiers by keyed pseudonyms: equal ones stay equal, and without the key nobody can go back."""

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from stream.errors import JobFailed

SHORTEST_KEY_BYTES = 16
LENGTH = 32


@dataclass(frozen=True)
class Pseudonyms:
    """HMAC-SHA256 pseudonyms of some fields, the first 128 bits in hexadecimal.

    The field's name is part of what is hashed, so that an account and a merchant of one number differ.

    Args:
        fields: names of the fields to replace.
        key: secret; it is never shown.
    """

    fields: tuple[str, ...]
    key: bytes = field(repr=False)

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame with the fields replaced; missing stays missing."""
        return frame.with_columns(
            self._replaced(frame[name]) for name in self.fields if name in frame.columns
        )

    def of(self, name: str, value: str) -> str:
        """The pseudonym of one value of the field `name`."""
        return hmac.new(self.key, f"{name}\0{value}".encode(), hashlib.sha256).hexdigest()[:LENGTH]

    def _replaced(self, values: pl.Series) -> pl.Series:
        distinct = values.drop_nulls().unique()
        replaced = pl.Series([self.of(values.name, value) for value in distinct], dtype=pl.String)
        return values.replace_strict(distinct, replaced, default=None, return_dtype=pl.String)


def read_key(path: Path) -> bytes:
    """The secret of a key file, without a line feed at its end.

    Raises:
        JobFailed: it cannot be read, or is too short to be secret.
    """
    try:
        key = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise JobFailed(
            f"key file {path}: {error.strerror}; make one with: openssl rand -hex 32 > {path}"
        ) from None
    if len(key) < SHORTEST_KEY_BYTES:
        raise JobFailed(
            f"key file {path}: {len(key)} bytes; expected at least {SHORTEST_KEY_BYTES}; "
            f"make one with: openssl rand -hex 32 > {path}"
        )
    return key
