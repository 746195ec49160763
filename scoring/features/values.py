"""The feature vector of one event, from the window sums before it and the event itself. Compiled by numba."""

import math

import numpy as np
from numpy.typing import NDArray

from scoring.compiled import compiled
from scoring.features.codes import count_distinct, first_time_share, unseen
from scoring.features.plan import OPERATIONS, Plan
from scoring.features.spec import DAY_MS, FIRST_MONDAY_MS
from scoring.features.windows import Bands
from scoring.features.working import Working

COUNT = OPERATIONS["count"]
TOTAL = OPERATIONS["total"]
MEAN = OPERATIONS["mean"]
SPREAD = OPERATIONS["spread"]
MAXIMUM = OPERATIONS["maximum"]
MINIMUM = OPERATIONS["minimum"]
SERIES_COUNT = OPERATIONS["series_count"]
RATIO = OPERATIONS["ratio"]
ZSCORE = OPERATIONS["zscore"]
VALUE = OPERATIONS["value"]
QUOTIENT = OPERATIONS["quotient"]
RELATIVE_SPREAD = OPERATIONS["relative_spread"]
DISTINCT = OPERATIONS["distinct"]
UNSEEN = OPERATIONS["unseen"]
SINCE_LAST = OPERATIONS["since_last"]
CLOCK = OPERATIONS["clock"]
REALISED_VOLATILITY = OPERATIONS["realised_volatility"]
EWMA_VOLATILITY = OPERATIONS["ewma_volatility"]
MOVING_AVERAGE = OPERATIONS["moving_average"]
ADAPTIVE_MOVING_AVERAGE = OPERATIONS["adaptive_moving_average"]
RANGE = OPERATIONS["range"]
SERIES_VALUE = OPERATIONS["series_value"]
FIRST_TIME_SHARE = OPERATIONS["first_time_share"]
BEYOND = OPERATIONS["beyond"]
LIFETIME = OPERATIONS["lifetime"]

LARGEST = float(np.finfo(np.float32).max)
LEAST_DEVIATION = 0.01  # of the mean: a constant history must not make the z-score of a small change endless

LEAST_OUTSIDE = 1e-9  # of the mean: what rounding makes of a number that stands still is not outside


@compiled
def fill_vector(
    plan: Plan, work: Working, bands: Bands, vector: NDArray[np.float64], time: int, in_order: bool
) -> bool:
    """Fills float64[F] for the event in `work.current`; True when the ring does not reach all of a window."""
    unseen_past = False
    counted = -1  # the code column whose distinct codes are known
    for feature in range(plan.n_features):
        operation = plan.operations[feature, 0]
        a, b, window = plan.operations[feature, 1], plan.operations[feature, 2], plan.operations[feature, 3]
        if operation == COUNT:
            value = bands.events[window] + 1.0
        elif operation == DISTINCT:
            if counted != a:
                count_distinct(plan, work, bands, a)
                counted = a
            value = float(bands.distinct[window])
            unseen_past |= bands.tiled[window] == 1
        elif operation == UNSEEN:
            value = unseen(work, bands.begins[window], bands.until, a)
            unseen_past |= bands.tiled[window] == 1 and value != 0 and work.current_code[a] != 0
        elif operation == FIRST_TIME_SHARE:
            value = first_time_share(work, bands.begins[window], bands.until, a)
            unseen_past |= bands.tiled[window] == 1
        elif operation == SINCE_LAST:
            newest = work.events - 1
            value = (time - work.time[newest]) / 1000.0 if in_order and newest >= 0 else np.nan
        elif operation == CLOCK:
            value = _clock(time, a, b)
        elif operation == VALUE:
            value = work.current[a]
        elif operation == SERIES_VALUE:
            value = bands.now[a]
        elif operation == QUOTIENT:
            value = work.current[a] / work.current[b] if work.current[b] != 0 else np.nan
        elif operation == RELATIVE_SPREAD:
            bid, ask = work.current[a], work.current[b]
            value = (ask - bid) / ((bid + ask) / 2) if bid + ask != 0 else np.nan
        elif operation == EWMA_VOLATILITY:
            value = _ewma(work, a, plan.parameters[feature, 0]) if in_order else np.nan
        elif operation == MOVING_AVERAGE:
            value = _moving_average(work, a, int(plan.parameters[feature, 0])) if in_order else np.nan
        elif operation == ADAPTIVE_MOVING_AVERAGE:
            span, fast, slow = plan.parameters[feature]
            value = _adaptive(work, a, int(span), fast, slow) if in_order else np.nan
        elif operation == BEYOND:
            value = _beyond(bands, a, window, b)
        elif operation == LIFETIME:
            value = work.lived[a]
        else:
            value = _statistic(bands, operation, a, window)
        # a quotient by a tiny number would become infinite in float32; NaN stays
        if value > LARGEST:
            value = LARGEST
        elif value < -LARGEST:
            value = -LARGEST
        vector[feature] = value
    return unseen_past


@compiled
def _statistic(bands: Bands, operation: int, series: int, window: int) -> float:
    value = bands.now[series]
    if operation in (RATIO, ZSCORE):
        n, mean = bands.values[series, window], bands.mean[series, window]
        if operation == RATIO:
            return value / mean if n > 0 and mean != 0 else np.nan
        if n < 2:
            return np.nan
        deviation = max(math.sqrt(max(bands.squares[series, window], 0.0) / n), LEAST_DEVIATION * abs(mean))
        return (value - mean) / deviation if deviation > 0 else np.nan
    n, mean = bands.values_now[series, window], bands.mean_now[series, window]
    if operation == SERIES_COUNT:
        return float(n)
    if operation == TOTAL:
        return float(n * mean) if n > 0 else 0.0
    if n == 0:
        return np.nan
    if operation == MEAN:
        return float(mean)
    if operation == SPREAD:
        return math.sqrt(max(bands.squares_now[series, window], 0.0) / n)
    maximum, minimum = bands.maximum_now[series, window], bands.minimum_now[series, window]
    if operation == MAXIMUM:
        return float(maximum)
    if operation == MINIMUM:
        return float(minimum)
    if operation == REALISED_VOLATILITY:
        return math.sqrt(max(bands.squares_now[series, window], 0.0) + n * mean * mean)
    if operation == RANGE:
        return (maximum - minimum) / value if value != 0 else np.nan  # NaN when this event has no value
    return np.nan


@compiled
def _beyond(bands: Bands, series: int, window: int, scale: int) -> float:
    value = bands.now[series]
    if bands.values[series, window] == 0 or np.isnan(value):
        return np.nan
    outside = max(value - bands.maximum[series, window], bands.minimum[series, window] - value)
    squares, n = bands.squares_now[series, scale], bands.values_now[series, scale]
    if outside <= LEAST_OUTSIDE * abs(bands.mean_now[series, scale]) or squares <= 0:
        return 0.0
    return outside / math.sqrt(squares / n)


@compiled
def _clock(time: int, weekday: int, cosine: int) -> float:
    span, start = (7 * DAY_MS, FIRST_MONDAY_MS) if weekday else (DAY_MS, 0)
    turn = (time - start) % span / span
    angle = 2 * math.pi * turn
    return math.cos(angle) if cosine else math.sin(angle)


@compiled
def _ewma(work: Working, column: int, decay: float) -> float:
    total, weights, weight = 0.0, 0.0, 1.0
    now = work.current[column]
    if not np.isnan(now):
        total, weights, weight = now * now, 1.0, decay
    for place in range(work.events - 1, -1, -1):
        value = work.number[column, place]
        if work.in_order[place] and not np.isnan(value):
            total += weight * value * value
            weights += weight
            weight *= decay
    return math.sqrt(total / weights) if weights > 0 else np.nan


@compiled
def _moving_average(work: Working, column: int, events: int) -> float:
    now = work.current[column]
    if not now > 0:
        return np.nan
    total, n = now, 1
    for place in range(work.events - 1, -1, -1):
        if n == events:
            break
        value = work.number[column, place]
        if work.in_order[place] and not np.isnan(value):
            total += value
            n += 1
    return log_of_ratio(now, total / n) if total > 0 else np.nan


@compiled
def _adaptive(work: Working, column: int, span: int, fast: float, slow: float) -> float:
    now = work.current[column]
    if not now > 0:
        return np.nan
    n = 0
    for place in range(work.events):
        value = work.number[column, place]
        if work.in_order[place] and not np.isnan(value):
            work.values[n] = value
            n += 1
    work.values[n] = now
    for step in range(1, n + 1):
        work.moves[step] = abs(work.values[step] - work.values[step - 1])
    average = work.values[0]
    for step in range(1, n + 1):
        first = max(step - span, 0)
        path = 0.0
        # summed anew each time: a running sum would keep the rounding error of a price that was once far off
        for move in range(first + 1, step + 1):
            path += work.moves[move]
        change = abs(work.values[step] - work.values[first])
        efficiency = min(change / path, 1.0) if path > 0 else 0.0
        constant = (efficiency * (fast - slow) + slow) ** 2
        average += constant * (work.values[step] - average)
    return log_of_ratio(now, average) if average > 0 else np.nan


@compiled
def log_of_ratio(upper: float, lower: float) -> float:
    """Natural logarithm of upper over lower, both positive; finite also where their quotient is not."""
    ratio = upper / lower
    if 0 < ratio < np.inf:
        return math.log(ratio)
    return math.log(upper) - math.log(lower)
