"""Accounts and transfers: balances are those before each transfer, and fan-in is counted as it is said."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scoring.catalog import scorers
from scoring.files import read_events, read_mapping
from training.errors import TrainingRefused
from training.protocols.balances import with_balances
from training.protocols.log import Log
from training.protocols.plain_rules import FAN_IN_WINDOW_MS, fan_in
from training.protocols.protocol import Ground, read_protocol

pytestmark = pytest.mark.training


def written(folder: Path) -> tuple[Path, Path]:
    """Four transfers among three accounts, and what two of them began with."""
    transfers = pl.DataFrame(
        {
            "source_account": [1, 2, 1, 3], "target_account": [2, 1, 2, 1], "amount": [10.0, 4.0, 1.0, 2.0],
            "day": [1, 1, 2, 3], "source_suspicious": [0, 1, 1, 0], "target_suspicious": [0, 1, 0, 1],
        }
    )  # fmt: skip
    transfers.write_parquet(folder / "transfers.parquet")
    pl.DataFrame({"account": [1, 2], "initial_balance": [100.0, 50.0]}).write_parquet(folder / "accounts.parquet")
    return folder / "transfers.parquet", folder / "accounts.parquet"


def test_a_balance_is_that_before_the_transfer_and_knows_no_later_one(tmp_path):
    """A balance that held the transfer itself would tell its amount twice; one of the day's end would be the future."""
    transfers, accounts = written(tmp_path)
    chunks = list(read_events([transfers], read_mapping("amlsim_incoming"), scorers()["payment_merchant"].event))
    (chunk,) = with_balances(chunks, accounts)
    assert chunk.frame["account_id"].to_list() == ["2", "1", "2", "1"]
    assert chunk.frame["balance"].to_list() == [50.0, 90.0, 56.0, 93.0]
    assert chunk.labels is not None and chunk.labels.to_list() == [0, 1, 0, 0]  # of a ring only with both ends in one
    with pytest.raises(TrainingRefused, match="expected account and initial_balance"):
        with_balances(chunks, transfers)


def test_fan_in_counts_the_other_ends_of_a_window():
    """Against the definition, row by row."""
    generator, rows = np.random.default_rng(3), 500
    log = Log(
        occurred_at_ms=np.sort(generator.integers(0, 3 * FAN_IN_WINDOW_MS, rows)), entity=generator.integers(0, 9, rows),
        amount=np.ones(rows), merchant=generator.integers(-1, 30, rows), labels=np.zeros(rows, np.int8), delay_ms=0,
    )  # fmt: skip
    found = fan_in(log)
    for row, at in enumerate(log.occurred_at_ms):
        seen = (log.entity[: row + 1] == log.entity[row]) & (log.occurred_at_ms[: row + 1] > at - FAN_IN_WINDOW_MS)
        assert found[row] == len(set(log.merchant[: row + 1][seen].tolist()) - {-1})


def test_a_protocol_with_balances_wants_the_file_of_them(tmp_path):
    """Without it every balance would be missing, and nobody would be told."""
    read = read_protocol("amlsim")
    with pytest.raises(TrainingRefused, match=r"accounts\.parquet; give it beside the events"):
        read.run(Ground((written(tmp_path)[0],), ""))
