"""Balances of accounts where a file holds only transfers and what everybody had at the beginning."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from scoring.files import Chunk
from training.errors import TrainingRefused

ACCOUNT, BALANCE = "account", "initial_balance"


def with_balances(chunks: Sequence[Chunk], file: Path) -> list[Chunk]:
    """The transfers with the balance of `account_id` before each: what it began with, what came in and went out.

    `merchant_id` is the account at the other end, from which the amount came. An account the file lacks has no balance.

    Args:
        chunks: in order of time.
        file: Parquet with the columns `account` and `initial_balance`.

    Raises:
        TrainingRefused: the file has not these columns.
    """
    begun = pl.read_parquet(file)
    if not {ACCOUNT, BALANCE} <= set(begun.columns):
        raise TrainingRefused(f"{file.name}: has {', '.join(begun.columns)}; expected {ACCOUNT} and {BALANCE}")
    names, amounts = begun[ACCOUNT].cast(pl.String).to_list(), begun[BALANCE].to_list()
    held = dict(zip(names, amounts, strict=True))
    return [_with_balance(chunk, held) for chunk in chunks]


def _with_balance(chunk: Chunk, held: dict[str, float]) -> Chunk:
    """One chunk with balances; `held` is that of every account, and is moved on."""
    frame, found = chunk.frame, []
    if not frame.height:
        return chunk
    for into, out_of, amount in frame.select("account_id", "merchant_id", "amount").iter_rows():
        found.append(held.get(into))
        if into in held:
            held[into] += amount
        if out_of in held:
            held[out_of] -= amount
    return replace(chunk, frame=frame.with_columns(pl.Series("balance", found, pl.Float64)))
