"""The feature vector of one event, from the window sums before it and the event itself. Compiled by numba."""

import math

import numpy as np
from numpy.typing import NDArray

from scoring.features.compiled import compiled
from scoring.features.plan import OPERATIONS, Plan
from scoring.features.spec import DAY_MS, HOUR_MS
from scoring.features.tiles import kept_value
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

FIRST_MONDAY_MS = 4 * DAY_MS  # 1970-01-05
LEAST_DEVIATION = 0.01  # of the mean: a constant history must not make the z-score of a small change endless


@compiled
def fill_vector(
    plan: Plan,
    work: Working,
    bands: Bands,
    vector: NDArray[np.float64],
    time: int,
    group: int,
    numbers: NDArray[np.float64],
    codes: NDArray[np.uint32],
    in_order: bool,
) -> bool:
    """Fills float64[F]; True when a distinct count could not see the whole of its window."""
    unseen_past = False
    counted = -1  # the code column whose repetitions are known
    repeated = np.zeros(work.events, np.uint8)
    for feature in range(plan.n_features):
        operation = plan.operations[feature, 0]
        a, b, window = plan.operations[feature, 1], plan.operations[feature, 2], plan.operations[feature, 3]
        if operation == COUNT:
            vector[feature] = bands.events[window] + 1
        elif operation == DISTINCT:
            if counted != a:
                _mark_repeated(work, time, a, codes[a], repeated)
                counted = a
            vector[feature] = _distinct(work, time, codes[a], plan.windows[window], repeated)
            unseen_past |= bands.tiled[window] == 1
        elif operation == UNSEEN:
            vector[feature] = _unseen(work, time, a, codes[a], plan.windows[window])
        elif operation == SINCE_LAST:
            newest = work.events - 1
            vector[feature] = (time - work.time[newest]) / 1000.0 if in_order and newest >= 0 else np.nan
        elif operation == CLOCK:
            vector[feature] = _clock(time, a, b)
        elif operation == VALUE:
            vector[feature] = numbers[a]
        elif operation == SERIES_VALUE:
            vector[feature] = kept_value(plan, a, numbers)
        elif operation == QUOTIENT:
            vector[feature] = numbers[a] / numbers[b] if numbers[b] != 0 else np.nan
        elif operation == RELATIVE_SPREAD:
            middle = (numbers[a] + numbers[b]) / 2
            vector[feature] = (numbers[b] - numbers[a]) / middle if middle != 0 else np.nan
        elif operation == EWMA_VOLATILITY:
            vector[feature] = _ewma(work, numbers[a], a, plan.parameters[feature, 0]) if in_order else np.nan
        elif operation == MOVING_AVERAGE:
            events = np.int64(plan.parameters[feature, 0])
            vector[feature] = _moving_average(work, numbers[a], a, events) if in_order else np.nan
        elif operation == ADAPTIVE_MOVING_AVERAGE:
            vector[feature] = _adaptive(work, numbers[a], a, plan.parameters[feature]) if in_order else np.nan
        else:
            vector[feature] = _statistic(plan, bands, operation, a, window, kept_value(plan, a, numbers))
    return unseen_past


@compiled
def _statistic(plan: Plan, bands: Bands, operation: int, series: int, window: int, value: float) -> float:
    n, mean = bands.values[window, series], bands.mean[window, series]
    squares = bands.squares[window, series]
    if operation == RATIO:
        return value / mean if n > 0 and mean != 0 else np.nan
    if operation == ZSCORE:
        if n < 2:
            return np.nan
        deviation = max(math.sqrt(max(squares, 0.0) / n), LEAST_DEVIATION * abs(mean))
        return (value - mean) / deviation if deviation > 0 else np.nan
    maximum, minimum = bands.maximum[window, series], bands.minimum[window, series]
    if not np.isnan(value):
        n += 1
        if n == 1:
            mean, squares, maximum, minimum = value, 0.0, value, value
        else:
            shift = value - mean
            mean += shift / n
            squares += shift * (value - mean)
            maximum, minimum = max(maximum, value), min(minimum, value)
    if operation == SERIES_COUNT:
        return n
    if operation == TOTAL:
        return n * mean if n > 0 else 0.0
    if n == 0:
        return np.nan
    if operation == MEAN:
        return mean
    if operation == SPREAD:
        return math.sqrt(max(squares, 0.0) / n)
    if operation == MAXIMUM:
        return maximum
    if operation == MINIMUM:
        return minimum
    if operation == REALISED_VOLATILITY:
        return math.sqrt(max(squares, 0.0) + n * mean * mean)
    if operation == RANGE:
        return (maximum - minimum) / value if value != 0 else np.nan  # NaN when this event has no value
    return np.nan


@compiled
def _mark_repeated(work: Working, time: int, column: int, code: int, repeated: NDArray[np.uint8]) -> None:
    """Marks ring events whose code is missing, or is that of this event or of a later one not after `time`."""
    for place in range(work.events - 1, -1, -1):
        other = work.code[place, column]
        repeated[place] = 1
        if work.time[place] > time or other == 0 or other == code:
            continue
        repeated[place] = 0
        for later in range(place + 1, work.events):
            if work.code[later, column] == other and work.time[later] <= time:
                repeated[place] = 1
                break


@compiled
def _distinct(work: Working, time: int, code: int, window: int, repeated: NDArray[np.uint8]) -> int:
    found = 1 if code != 0 else 0
    for place in range(work.events - 1, -1, -1):
        if work.time[place] <= time - window:
            break
        found += 1 - repeated[place]
    return found


@compiled
def _unseen(work: Working, time: int, column: int, code: int, window: int) -> float:
    if code == 0:
        return np.nan
    any_earlier = False
    for place in range(work.events - 1, -1, -1):
        then = work.time[place]
        if then > time:
            continue
        if then <= time - window:
            break
        any_earlier = True
        if work.code[place, column] == code:
            return 0.0
    return 1.0 if any_earlier else np.nan


@compiled
def _clock(time: int, weekday: int, cosine: int) -> float:
    if weekday:
        turn = (time - FIRST_MONDAY_MS) % (7 * DAY_MS) / (7 * DAY_MS)
    else:
        turn = time % DAY_MS / (24 * HOUR_MS)
    angle = 2 * math.pi * turn
    return math.cos(angle) if cosine else math.sin(angle)


@compiled
def _ewma(work: Working, now: float, column: int, decay: float) -> float:
    total, weights, weight = 0.0, 0.0, 1.0
    if not np.isnan(now):
        total, weights, weight = now * now, 1.0, decay
    for place in range(work.events - 1, -1, -1):
        value = work.number[place, column]
        if work.in_order[place] and not np.isnan(value):
            total += weight * value * value
            weights += weight
            weight *= decay
    return math.sqrt(total / weights) if weights > 0 else np.nan


@compiled
def _moving_average(work: Working, now: float, column: int, events: int) -> float:
    if not now > 0:
        return np.nan
    total, n = now, 1
    for place in range(work.events - 1, -1, -1):
        if n == events:
            break
        value = work.number[place, column]
        if work.in_order[place] and not np.isnan(value):
            total += value
            n += 1
    return math.log(now * n / total) if total > 0 else np.nan


@compiled
def _adaptive(work: Working, now: float, column: int, parameters: NDArray[np.float64]) -> float:
    if not now > 0:
        return np.nan
    span, fast, slow = np.int64(parameters[0]), parameters[1], parameters[2]
    values = np.empty(work.events + 1)
    n = 0
    for place in range(work.events):
        value = work.number[place, column]
        if work.in_order[place] and not np.isnan(value):
            values[n] = value
            n += 1
    values[n] = now
    average, path = values[0], 0.0
    for step in range(1, n + 1):
        path += abs(values[step] - values[step - 1])
        if step > span:
            path -= abs(values[step - span] - values[step - span - 1])
        change = abs(values[step] - values[max(step - span, 0)])
        efficiency = min(change / path, 1.0) if path > 1e-12 * values[step] else 0.0
        constant = (efficiency * (fast - slow) + slow) ** 2
        average += constant * (values[step] - average)
    return math.log(now / average) if average > 0 else np.nan
