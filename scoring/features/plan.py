"""A view's declaration turned into the small arrays that the fold kernel interprets."""

from functools import cache
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from scoring.features.batch import EventBatch
from scoring.features.spec import (
    TILES_PER_WINDOW,
    Difference,
    Feature,
    FeatureView,
    Lifetime,
    LifetimeStatistic,
    LogReturn,
    Number,
    RecentMean,
    Step,
    duration_ms,
)

OPERATIONS = {
    name: code
    for code, name in enumerate(
        (
            "count", "total", "mean", "spread", "maximum", "minimum", "series_count", "ratio", "zscore",
            "value", "quotient", "relative_spread", "distinct", "unseen", "since_last", "clock",
            "realised_volatility", "ewma_volatility", "moving_average", "adaptive_moving_average", "range",
            "series_value", "first_time_share", "beyond", "lifetime",
        )
    )
}  # fmt: skip
MEAN_KEPT, SQUARES_KEPT, MAXIMUM_KEPT, MINIMUM_KEPT = 1, 2, 4, 8
_MOMENTS = MEAN_KEPT | SQUARES_KEPT
_NEEDS = {
    "total": MEAN_KEPT, "mean": MEAN_KEPT, "ratio": MEAN_KEPT, "spread": _MOMENTS, "zscore": _MOMENTS,
    "realised_volatility": _MOMENTS, "maximum": MAXIMUM_KEPT, "minimum": MINIMUM_KEPT,
    "range": MAXIMUM_KEPT | MINIMUM_KEPT, "beyond": _MOMENTS | MAXIMUM_KEPT | MINIMUM_KEPT,
}  # fmt: skip
DERIVATIONS = {kind: code for code, kind in enumerate((LogReturn, Difference, RecentMean))}
_SIGNS = {"all": 0, "positive": 1, "negative": -1}
LASTING = {name: place for place, name in enumerate(get_args(LifetimeStatistic))}
"""Places in `Working.lived`; totals come last, one for each number that has one."""
STEPS = {name: code for code, name in enumerate(get_args(Step))}
"""Kinds of steps of the vector history; those from `1d` on are spans of the calendar."""


MOST_EVENTS, MOST_TILES, MOST_STEPS = 64, 128, 64
MOST_NUMBERS, MOST_COLUMNS, MOST_CODES, MOST_WINDOWS = 8, 96, 4, 8
MOST_FEATURES, MOST_HISTORY_FEATURES = 128, 32
MOST_LIFE_GROUPS = 8

PLAN = np.dtype(
    [
        ("n_windows", "i8"), ("n_stored", "i8"), ("n_series", "i8"), ("n_codes", "i8"), ("n_features", "i8"),
        ("n_history", "i8"), ("ring", "i8"), ("tiles", "i8"), ("steps", "i8"), ("horizon_ms", "i8"),
        ("grace_ms", "i8"), ("narrow", "i8"),
        ("windows", "i8", MOST_WINDOWS), ("spans", "i8", MOST_WINDOWS),
        ("derived_of", "i8", MOST_NUMBERS), ("derivation", "i8", MOST_NUMBERS), ("recent", "i8", MOST_NUMBERS),
        ("series_source", "i8", MOST_NUMBERS), ("series_sign", "i8", MOST_NUMBERS),
        ("series_keeps", "i8", MOST_NUMBERS), ("operations", "i8", (MOST_FEATURES, 4)),
        ("parameters", "f8", (MOST_FEATURES, 3)), ("history", "i8", MOST_HISTORY_FEATURES),
        ("step", "i8"), ("length", "i8"),
        ("lives", "i8"), ("active_within_ms", "i8"), ("n_lasting", "i8"), ("lasting", "i8", MOST_NUMBERS),
    ],
    align=True,
)  # fmt: skip
"""What the kernel needs to know of a view.

`windows` are milliseconds, ascending, with the tile span of each in `spans`. `derived_of` names the stored
number that another is made of, or -1, `derivation` how, and `recent` of how many events. A series is a stored
number with the sign it keeps and the mask of statistics its tiles keep. `operations` holds per feature: operation,
first and second operand, window. `narrow` is 1 when times fit 32 bits. `length` is how many steps an event's history
has, of the kind `step`, and `steps` how many of them the state keeps. `lives` is 1 where lives are counted; the
series in `lasting` have totals of a life.
"""

Plan = Any  # a record of dtype PLAN


class Events(NamedTuple):
    """The n events of a batch as the kernel reads them: numbers [n, C], stored ones first, codes [n, K].

    `asks` says which are questions about their entity, and no events.
    """

    time: NDArray[np.int64]
    event_id: NDArray[np.uint64]
    body: NDArray[np.uint32]
    group: NDArray[np.uint32]
    numbers: NDArray[np.float64]
    codes: NDArray[np.uint32]
    asks: NDArray[np.bool_]


@cache
def plan_of(view: FeatureView) -> NDArray[np.void]:
    """The plan of a view, an array of one record.

    Raises:
        ValueError: the view is larger than the kernel has room for.
    """
    columns = _columns(view)
    stored = stored_names(view)
    series = [number.name for number in view.numbers]
    keeps = np.zeros(len(series), np.int64)
    operations = np.zeros((len(view.features), 4), np.int64)
    parameters = np.zeros((len(view.features), 3), np.float64)
    windows = view.windows_ms
    lasting = lasting_names(view)
    for row, feature in enumerate(view.features):
        name = _operation(feature, series)
        first, second = _operands(feature, view, columns, series, stored)
        window = windows.index(duration_ms(feature.window)) if hasattr(feature, "window") else 0
        operations[row] = OPERATIONS[name], first, second, window
        parameters[row] = _parameters(feature)
        if name in _NEEDS:
            keeps[first] |= _NEEDS[name]
    sources, signs = [], []
    for number in view.numbers:
        sources.append(stored.index(number.source if isinstance(number, Number) else number.name))
        signs.append(_SIGNS[number.keep] if isinstance(number, Number) else 0)
    derived = {number.name: number for number in view.numbers if not isinstance(number, Number)}
    made = [derived.get(name) for name in stored]
    narrow = view.horizon_ms + view.grace_ms + view.horizon_ms // 2 < 2**32
    sizes = {
        "number": (len(stored), MOST_NUMBERS), "series": (len(series), MOST_NUMBERS),
        "field": (len(columns), MOST_COLUMNS),
        "code": (len(view.codes), MOST_CODES), "window": (len(windows), MOST_WINDOWS),
        "feature": (len(view.features), MOST_FEATURES), "tile": (view.tiles, MOST_TILES),
        "history step": (view.history.length if view.history else 0, MOST_STEPS),
        "history feature": (len(view.history.features) if view.history else 0, MOST_HISTORY_FEATURES),
        "ring event": (view.ring, MOST_EVENTS),
    }  # fmt: skip
    for thing, (size, most) in sizes.items():
        if size > most:
            raise ValueError(
                f"view {view.name}: {size} {thing}s; at most {most} are possible; split the view"
            )
    plan = np.zeros(1, PLAN)
    record = plan[0]
    history = [view.feature_names.index(name) for name in (view.history.features if view.history else ())]
    length = view.history.length if view.history else 1
    step = STEPS[view.history.step if view.history else "event"]
    counts = {
        "n_windows": len(windows), "n_stored": len(stored), "n_series": len(series),
        "n_codes": len(view.codes), "n_features": len(view.features), "n_history": len(history),
        "ring": view.ring, "tiles": view.tiles, "steps": length if step else length - 1,
        "horizon_ms": view.horizon_ms, "grace_ms": view.grace_ms, "narrow": int(narrow),
        "step": step, "length": length, "lives": int(bool(view.active_within)),
        "active_within_ms": view.active_within_ms, "n_lasting": len(lasting),
    }  # fmt: skip
    arrays: dict[str, Any] = {
        "windows": windows,
        "spans": [max(window // TILES_PER_WINDOW, 1) for window in windows],
        "derived_of": [-1 if each is None else stored.index(each.of) for each in made],
        "derivation": [-1 if each is None else DERIVATIONS[type(each)] for each in made],
        "recent": [each.events if isinstance(each, RecentMean) else 0 for each in made],
        "series_source": sources,
        "series_sign": signs,
        "series_keeps": keeps,
        "operations": operations,
        "parameters": parameters,
        "history": history,
        "lasting": [series.index(name) for name in lasting],
    }
    for name, count in counts.items():
        record[name] = count
    for name, values in arrays.items():
        record[name][: len(values)] = values
    return plan


def inputs_of(view: FeatureView, batch: EventBatch) -> Events:
    """The kernel's view of a batch."""
    columns = _columns(view)
    numbers = np.full((len(batch), max(len(columns), 1)), np.nan)
    for place, name in enumerate(columns):
        if name in batch.numbers:  # derived numbers are filled in by the kernel
            numbers[:, place] = batch.numbers[name]
    codes = np.zeros((len(batch), len(view.codes)), np.uint32)
    for place, name in enumerate(view.codes):
        codes[:, place] = _code(batch.texts[name])
    group = _code(batch.texts[view.group]) if view.group else np.zeros(len(batch), np.uint32)
    asks = np.zeros(len(batch), np.bool_) if batch.asks is None else batch.asks
    return Events(batch.occurred_at_ms, batch.id_hash, batch.body_hash, group, numbers, codes, asks)


def _code(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """32-bit code of 64-bit hashes; 0 stays missing and nothing else becomes 0."""
    code = hashes.astype(np.uint32)
    code[(code == 0) & (hashes != 0)] = 1
    return code


def stored_names(view: FeatureView) -> list[str]:
    """Names of the numbers that the ring keeps of every event, in the order of their columns."""
    names: list[str] = []
    for number in view.numbers:
        name = number.source if isinstance(number, Number) else number.name
        if name not in names:
            names.append(name)
    return names


def lasting_names(view: FeatureView) -> list[str]:
    """Numbers that have a lifetime total, in the order of their declaration."""
    wanted = {feature.number for feature in view.features if isinstance(feature, Lifetime)}
    return [number.name for number in view.numbers if number.name in wanted]


@cache
def _columns(view: FeatureView) -> list[str]:
    names = stored_names(view)
    for feature in view.features:
        for attribute in ("number", "divisor", "bid", "ask"):
            name = getattr(feature, attribute, None)
            if name is not None and name in view.event.struct.__struct_fields__ and name not in names:
                names.append(name)
    return names


def _operation(feature: Feature, series: list[str]) -> str:
    if feature.kind == "rolling":
        statistic: str = feature.statistic  # type: ignore[attr-defined]
        return "series_count" if statistic == "count" else statistic
    if feature.kind == "value" and feature.number in series:  # type: ignore[attr-defined]
        return "series_value"
    return feature.kind


def _operands(
    feature: Feature, view: FeatureView, columns: list[str], series: list[str], stored: list[str]
) -> tuple[int, int]:
    match feature.kind:
        case "rolling" | "ratio" | "zscore" | "realised_volatility" | "range":
            return series.index(feature.number), 0  # type: ignore[attr-defined]
        case "beyond":
            scale = view.windows_ms.index(duration_ms(feature.scale))  # type: ignore[attr-defined]
            return series.index(feature.number), scale  # type: ignore[attr-defined]
        case "ewma_volatility" | "moving_average" | "adaptive_moving_average":
            return stored.index(feature.number), 0  # type: ignore[attr-defined]
        case "value":
            name = feature.number  # type: ignore[attr-defined]
            return (series.index(name) if name in series else columns.index(name)), 0
        case "quotient":
            return columns.index(feature.number), columns.index(feature.divisor)  # type: ignore[attr-defined]
        case "relative_spread":
            return columns.index(feature.bid), columns.index(feature.ask)  # type: ignore[attr-defined]
        case "distinct" | "unseen" | "first_time_share":
            return view.codes.index(feature.code), 0  # type: ignore[attr-defined]
        case "lifetime":
            place = LASTING[feature.statistic]  # type: ignore[attr-defined]
            number = feature.number  # type: ignore[attr-defined]
            return place + (lasting_names(view).index(number) if number else 0), 0
        case "clock":
            return int(feature.unit == "weekday"), int(feature.side == "cosine")  # type: ignore[attr-defined]
        case _:
            return 0, 0


def _parameters(feature: Feature) -> tuple[float, float, float]:
    match feature.kind:
        case "ewma_volatility":
            return feature.decay, 0.0, 0.0  # type: ignore[attr-defined]
        case "moving_average":
            return feature.events, 0.0, 0.0  # type: ignore[attr-defined]
        case "adaptive_moving_average":
            return feature.events, 2.0 / (feature.fast + 1), 2.0 / (feature.slow + 1)  # type: ignore[attr-defined]
        case _:
            return 0.0, 0.0, 0.0
