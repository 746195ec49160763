"""Pseudonyms keep what scoring needs, equality, and nothing else."""

import hashlib
import hmac

import polars as pl
import pytest

from stream.errors import JobFailed
from stream.feed.pseudonym import Pseudonyms, read_key

KEY = b"0123456789abcdef"


def test_equal_identifiers_stay_equal_and_missing_stays_missing():
    """The history of an account must survive; its number must not."""
    frame = pl.DataFrame(
        {"account_id": ["A", "B", "A"], "merchant_id": ["A", None, "M"], "amount": [1.0, 2.0, 3.0]}
    )
    replaced = Pseudonyms(("account_id", "merchant_id"), KEY).apply(frame)
    first, second, third = replaced["account_id"]
    assert first == third != second
    assert first == hmac.new(KEY, b"account_id\0A", hashlib.sha256).hexdigest()[:32]
    assert replaced["merchant_id"][0] not in (None, first), (
        "an account and a merchant of one number must differ"
    )
    assert replaced["merchant_id"][1] is None
    assert replaced["amount"].equals(frame["amount"])


def test_another_key_gives_other_pseudonyms():
    """Two houses that exchange data must not be able to join it by accident."""
    assert Pseudonyms(("a",), KEY).of("a", "x") != Pseudonyms(("a",), KEY[::-1]).of("a", "x")


def test_the_key_is_never_shown(tmp_path):
    """A key in a log is a key lost."""
    assert "0123456789" not in repr(Pseudonyms(("a",), KEY))
    short = tmp_path / "key"
    short.write_bytes(b"tooshort\n")
    with pytest.raises(JobFailed, match="8 bytes; expected at least 16") as refused:
        read_key(short)
    assert "tooshort" not in str(refused.value)
    with pytest.raises(JobFailed, match="openssl rand"):
        read_key(tmp_path / "nothing")
    short.write_bytes(KEY + b"\r\n")
    assert read_key(short) == KEY
