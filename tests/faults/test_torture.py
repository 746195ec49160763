"""A short torture: ten kills and a minute of faults of all kinds; `make torture` goes on for as long as one likes."""

from pathlib import Path

import pytest

from tests.torture.faults import FAULTS
from tests.torture.run import torture

SEED = 4
KILLS = [fault for fault in FAULTS if fault.kills]
LASTING = {"pause_kafka", "pause_redis", "flood_of_bad_records"}
BRISK = [fault for fault in FAULTS if fault.name not in LASTING]


@pytest.mark.timeout(400)
def test_ten_kills_and_a_minute_of_faults_leave_the_books_in_order(tmp_path: Path) -> None:
    """Every input has its one answer, the right one, and states are those of the log; workers recover by themselves."""
    told: list[str] = []
    outcome = torture(tmp_path / "house", SEED, 60, told.append, kills=10, killing=KILLS, faults=BRISK)
    assert outcome.failed == [], "\n".join(told)
    assert outcome.kills >= 10
    assert outcome.findings["inputs"] > 1_000
    assert outcome.findings["duplicates_identical"] <= 200 * outcome.faults.total()
