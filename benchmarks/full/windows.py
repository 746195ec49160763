"""Cost against the longest window of a view: the kernel alone, the fold as replay does it, bytes of a state.

The views are the shipped one with all windows stretched, so that they have the same features. Entities get one event a
minute (`busy`) or twice a day (`usual`) until the longest window is full; then the cost of further events is taken.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.full.medians import medians
from benchmarks.full.plan import FullPlan
from benchmarks.payments import FIRST_MS
from schemas.events.transaction import EVENT
from scoring.features.batch import EventBatch, layout_of
from scoring.features.spec import DAY_MS, SECOND_MS, FeatureView, duration_ms
from scoring.features.table import Fold, fold_table
from scoring.views.account_activity import VIEW

ROWS = 20_000
"""Events of one batch; of a batch of replay they are three times as many."""

EVENTS_OF_A_FOLD = 1_000
"""Of the kernel alone: what a worker folds of one partition."""

FILLED_TO = 1.1
"""Times the longest window, from the first event of an entity to the first measured one."""

MERCHANTS, COUNTRIES, CURRENCIES = 12, 3, 1
SHIPPED_LONGEST_MS = max(VIEW.windows_ms)


@dataclass(frozen=True)
class Pace:
    """How often the entities of a population have an event, and how many entities there are."""

    name: str
    entities: int
    every_ms: int

    def events_in(self, window_ms: int) -> float:
        """Of one entity."""
        return window_ms / self.every_ms


PACES = (Pace("busy", 100, 60 * SECOND_MS), Pace("usual", 5_000, DAY_MS // 2))


def measure_windows(plan: FullPlan, say: Callable[[str], None]) -> dict[str, Any]:
    """Points of the curve for every pace."""
    return {pace.name: _of_pace(plan, pace, say) for pace in PACES}


def _of_pace(plan: FullPlan, pace: Pace, say: Callable[[str], None]) -> dict[str, Any]:
    views = {window: view_of(window) for window in plan.longest_windows}
    states = {window: filled(view, pace, plan.seed) for window, view in views.items()}
    runs: dict[str, list[dict[str, float]]] = {window: [] for window in views}
    for _ in range(plan.repetitions):
        for window, view in views.items():
            known, number = states[window]
            runs[window].append(cost(view, known, pace, number, plan))
    points = {}
    for window, some in runs.items():
        points[window] = {
            "events_in_window": round(pace.events_in(duration_ms(window)), 1),
            "state_bytes": round(sum(map(len, states[window][0].values())) / pace.entities, 1),
            **medians(some),
        }
        say(f"windows up to {window}, {pace.name}: {points[window]['kernel_us']:.2f} us per event")
    return {"entities": pace.entities, "every_s": pace.every_ms / SECOND_MS, "points": points}


def view_of(longest: str) -> FeatureView:
    """The shipped view with its windows stretched until the longest is this one; as many features.

    Raises:
        ValueError: a window would not be whole seconds.
    """
    stretch = duration_ms(longest) / SHIPPED_LONGEST_MS
    features = tuple(
        replace(feature, window=stretched(feature.window, stretch)) if hasattr(feature, "window") else feature
        for feature in VIEW.features
    )
    names = dict(zip(VIEW.feature_names, (feature.name for feature in features), strict=True))
    assert VIEW.history is not None
    history = replace(VIEW.history, features=tuple(names[name] for name in VIEW.history.features))
    name = f"{VIEW.name}_{longest}"
    return replace(VIEW, name=name, features=features, history=history, horizon=longest)


def stretched(window: str, times: float) -> str:
    """The window that many times as long.

    >>> stretched("1h", 1 / 720), stretched("30d", 3)
    ('5s', '7776000s')

    Raises:
        ValueError: that is not a whole number of seconds.
    """
    seconds = round(duration_ms(window) * times / SECOND_MS, 6)
    if seconds != int(seconds) or seconds < 1:
        raise ValueError(f"window {window} stretched {times:g} times: expected whole seconds, was {seconds}")
    return f"{int(seconds)}s"


def filled(view: FeatureView, pace: Pace, seed: int) -> tuple[dict[str, bytes], int]:
    """States whose longest window is full, by entity, and the number of the event that comes next."""
    wanted = int(FILLED_TO * pace.events_in(view.horizon_ms + view.grace_ms) + view.ring) * pace.entities
    states: dict[str, bytes] = {}
    number = 0
    while number < wanted:
        fold_table_onto(view, events(pace, seed, number, ROWS), states)
        number += ROWS
    return states, number


def fold_table_onto(view: FeatureView, batch: EventBatch, states: dict[str, bytes]) -> None:
    """Folds the events; the states of their entities are the new ones afterwards."""
    table = fold_table(view, batch, [states.get(entity) for entity in batch.entities])
    states.update(zip(batch.entities, table.states, strict=True))


def cost(
    view: FeatureView, states: Mapping[str, bytes], pace: Pace, number: int, plan: FullPlan
) -> dict[str, float]:
    """Microseconds per event: of the kernel alone, and of folds with all that is around the kernel."""
    small = _batches(pace, plan, number, EVENTS_OF_A_FOLD)
    kernel_s, known = 0.0, dict(states)
    for batch in small:
        fold = Fold.of(view, batch, [known.get(entity) for entity in batch.entities])
        began = time.perf_counter()
        fold.run()
        kernel_s += time.perf_counter() - began
        known.update(zip(batch.entities, fold.table().states, strict=True))
    large, known = _batches(pace, plan, number, ROWS), dict(states)
    began = time.perf_counter()
    for batch in large:
        fold_table_onto(view, batch, known)
    whole_s = time.perf_counter() - began
    return {
        "kernel_us": 1e6 * kernel_s / sum(map(len, small)),
        "fold_us": 1e6 * whole_s / sum(map(len, large)),
    }


def _batches(pace: Pace, plan: FullPlan, number: int, size: int) -> list[EventBatch]:
    return [events(pace, plan.seed, start, size) for start in range(number, number + plan.window_events, size)]


def events(pace: Pace, seed: int, first: int, count: int) -> EventBatch:
    """Events `first` to `first + count`: the entities in turn, so that each has one every `every_ms`."""
    numbers = np.arange(first, first + count, dtype=np.int64)
    draw = np.random.default_rng([seed, first])
    amounts = np.exp(draw.normal(3.3, 0.7, count))
    columns: dict[str, NDArray[Any]] = {"amount": amounts, "balance": np.full(count, 3_000.0)}
    layout = layout_of(EVENT)
    choices = {"merchant_id": MERCHANTS, "country": COUNTRIES, "currency": CURRENCIES}
    texts = {
        name: draw.integers(1, choices.get(name, 1) + 1, count).astype(np.uint64) for name in layout.texts
    }
    texts["event_id"] = _spread(numbers.astype(np.uint64))
    present, entity = np.unique(numbers % pace.entities, return_inverse=True)
    return EventBatch.assemble(
        EVENT,
        [f"e{number}" for number in present.tolist()],
        entity.astype(np.int64),
        FIRST_MS + numbers * pace.every_ms // pace.entities,
        range(count),  # type: ignore[arg-type]  # ids are counted here and never looked at
        {name: columns.get(name, np.full(count, np.nan)) for name in layout.floats},
        texts,
    )


def _spread(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that look like hashes, no two alike (an odd factor is a bijection of 64 bits)."""
    return numbers * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
