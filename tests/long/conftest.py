"""Whole houses for faults that need one of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.torture.house import House
from tests.torture.run import judged_findings

MakeHouse = Callable[..., House]


@pytest.fixture
def make_house(tmp_path: Path) -> Iterator[MakeHouse]:
    """Makes a house and starts it; all is well when it is given."""
    with ExitStack() as stack:

        def make(seed: int, **options: Any) -> House:
            per_second = options.pop("per_second", 150.0)
            house = stack.enter_context(House(tmp_path / "house", seed, per_second=per_second, **options))
            house.wait_well()
            return house

        yield make


def check_books(house: House) -> dict[str, Any]:
    """What `riskstream verify` finds at the end; asserts that it is nothing."""
    house.wait_well()
    findings = house.verify()
    assert judged_findings(findings) == [], findings
    assert house.leaks() == []
    assert findings["inputs"] > 500
    return findings
