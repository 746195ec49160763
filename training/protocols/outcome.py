"""What a protocol says: a figure with its interval beside that of a named baseline."""

from typing import Any, Literal

import msgspec

Verdict = Literal["ahead", "behind", "level"]
Interval = tuple[float, float]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of one model beside one baseline.

    Attributes:
        protocol, protocol_sha256: name of the protocol and hash of its file.
        model: what was judged, a trainer's name.
        n: rows it was judged on.
        metric, value, ci95: the figure of the median seed, with its 95 % interval over resampled units.
        baseline: what it is compared with.
        baseline_value: the same figure of the baseline's median seed.
        difference, difference_ci95: of the figures, resampled together, in the direction of `metric`.
        verdict: `ahead` or `behind` when the interval of the difference leaves out zero, else `level`.
        seeds: of the runs whose median is reported; values: the figure of each.
        positives: rows that are what the model looks for; None where there are no classes.
    """

    protocol: str
    protocol_sha256: str
    model: str
    n: int
    metric: str
    value: float
    ci95: Interval
    baseline: str
    baseline_value: float
    difference: float
    difference_ci95: Interval
    verdict: Verdict
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    positives: int | None = None


def read_outcomes(raw: bytes) -> list[Outcome]:
    """The outcomes of a JSON file; a figure that has no value stands there as null, and is NaN.

    Raises:
        msgspec.DecodeError: it holds something else.
    """
    told = msgspec.json.decode(raw, type=list[dict[str, Any]])
    return msgspec.convert([{name: _known(name, value) for name, value in each.items()} for each in told], list[Outcome])


def _known(name: str, value: Any) -> Any:
    if name == "positives":  # None where there are no classes
        return value
    if isinstance(value, list):
        return [_known(name, each) for each in value]
    return float("nan") if value is None else value


def verdict_of(difference_ci95: Interval, *, more_is_better: bool) -> Verdict:
    """What an interval of the difference between model and baseline says.

    >>> verdict_of((0.01, 0.03), more_is_better=True), verdict_of((0.01, 0.03), more_is_better=False)
    ('ahead', 'behind')
    >>> verdict_of((-0.01, 0.03), more_is_better=True)
    'level'
    """
    low, high = difference_ci95
    if not (low > 0 or high < 0):  # zero lies within, or an end is not a number
        return "level"
    return "ahead" if (low > 0) == more_is_better else "behind"
