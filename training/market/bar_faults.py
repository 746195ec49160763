"""Faults put into real bars at random places, so that the truth is known: a fat finger, a flash crash, a stale feed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.market.forecasts import Series

Kind = Literal["fat_finger", "flash_crash", "stale_feed"]
KINDS: tuple[Kind, ...] = ("fat_finger", "flash_crash", "stale_feed")
LOCAL_BARS = 60
APART = 120
FALL_BARS, BACK_BARS = 5, 10


@dataclass(frozen=True)
class Fault:
    """What was done to bars `first` to `last`, places in the series; the move back to the true price belongs to it."""

    kind: Kind
    first: int
    last: int


def with_faults(
    bars: pl.DataFrame, since: int, of_each: int, seed: int, kinds: Sequence[Kind] = KINDS
) -> tuple[pl.DataFrame, list[Fault]]:
    """The bars of one symbol with so many faults of each kind behind place `since`, and where they are.

    A fat finger is one bar whose close is off by 10 to 30 times the local standard deviation of returns (of the 60 bars
    before), either way. A flash crash falls by 20 to 60 of them within 5 bars and is back after 10 more. A stale feed
    repeats one price for 15 to 45 bars. Faults are at least 120 bars apart.

    Args:
        kinds: of faults, among `KINDS`.
        bars: in order of time; `close`, and `open`, `high`, `low`, `volume` where they are known.
    """
    generator = np.random.default_rng(seed)
    close = bars["close"].to_numpy().astype(np.float64)
    factor, still = np.ones(len(close)), np.full(len(close), -1)
    faults: list[Fault] = []
    room = (len(close) - since) // (of_each * len(kinds))
    if room < 3 * APART // 2:
        raise ValueError(f"{len(close) - since} bars have no room for {of_each * len(kinds)} faults {APART} bars apart")
    drawn = generator.permutation(np.repeat(np.arange(len(kinds)), of_each))
    for place, kind in enumerate(drawn):
        first = since + place * room + int(generator.integers(0, room - APART))
        faults.append(_FAULTS[kinds[kind]](close, first, factor, still, generator))
    return _changed(bars, factor, still), faults


def _fat_finger(
    close: Series, first: int, factor: Series, still: NDArray[np.int64], generator: np.random.Generator
) -> Fault:
    way = float(generator.choice([-1.0, 1.0]))
    factor[first] = np.exp(way * generator.uniform(10, 30) * _local_spread(close, first))
    return Fault("fat_finger", first, first + 1)


def _flash_crash(
    close: Series, first: int, factor: Series, still: NDArray[np.int64], generator: np.random.Generator
) -> Fault:
    depth = generator.uniform(20, 60) * _local_spread(close, first)
    down = np.arange(1, FALL_BARS + 1) / FALL_BARS
    back = 1 - np.arange(1, BACK_BARS + 1) / BACK_BARS
    last = first + FALL_BARS + BACK_BARS - 1
    factor[first : last + 1] = np.exp(-depth * np.concatenate([down, back]))
    return Fault("flash_crash", first, last)


def _stale_feed(
    close: Series, first: int, factor: Series, still: NDArray[np.int64], generator: np.random.Generator
) -> Fault:
    last = first + int(generator.integers(15, 46))
    still[first:last] = first - 1
    return Fault("stale_feed", first, last)


_FAULTS: dict[Kind, Callable[..., Fault]] = {
    "fat_finger": _fat_finger, "flash_crash": _flash_crash, "stale_feed": _stale_feed
}  # fmt: skip


def _local_spread(close: Series, at: int) -> float:
    """The standard deviation of the returns of the bars before, at least a hundredth of a percent of a percent."""
    return max(float(np.diff(np.log(close[at - LOCAL_BARS : at])).std()), 1e-6)


def _changed(bars: pl.DataFrame, factor: Series, still: NDArray[np.int64]) -> pl.DataFrame:
    close = bars["close"].to_numpy() * factor
    stale = still >= 0
    close[stale] = close[still[stale]]
    columns = {"close": close}
    opened = bars["open"].to_numpy() if "open" in bars.columns else None
    if opened is not None:  # a bar opens where the one before it closed, as far as the fault moved that
        columns["open"] = np.where(stale, close, opened * np.concatenate([[1.0], factor[:-1]]))
    ends = np.stack([close, columns.get("open", close)])
    for name, of_ends in (("high", ends.max(axis=0)), ("low", ends.min(axis=0))):
        if name in bars.columns:
            was, moved = bars[name].to_numpy(), factor != 1
            outer = np.maximum(was, of_ends) if name == "high" else np.minimum(was, of_ends)
            columns[name] = np.where(stale, close, np.where(moved, of_ends, outer))
    if "volume" in bars.columns:
        columns["volume"] = np.where(stale, 0.0, bars["volume"].to_numpy())
    return bars.with_columns(**{name: pl.Series(values) for name, values in columns.items()})
