"""Runs of one point put together."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any


def medians(runs: Sequence[Mapping[str, float]], digits: int = 3) -> dict[str, Any]:
    """The median of every figure over the runs, and all runs beside them.

    >>> medians([{"a": 1.0}, {"a": 3.0}, {"a": 2.0}])["a"]
    2.0
    """
    names = runs[0] if runs else ()
    figures = {name: round(statistics.median(run[name] for run in runs), digits) for name in names}
    return {**figures, "runs": [dict(run) for run in runs]}
