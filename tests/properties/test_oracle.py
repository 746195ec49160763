"""The compiled fold against the naive oracle, over drawn streams."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.features import spec
from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import CONFLICT, DUPLICATE, SCORED, fold_table
from tests.support import oracle
from tests.support.definitions import STATISTICS, Moment, lifetime_values, rolling_values
from tests.support.doubles import vectors_in_doubles
from tests.support.oracle import Oracle, Outcome
from tests.support.streams import LIVING, MANY_CURRENCIES, STEPPED, VIEWS, spans_of, streams, with_closings

STATUS = {oracle.SCORED: SCORED, oracle.DUPLICATE: DUPLICATE, oracle.CONFLICT: CONFLICT}
EXACT = (spec.Count, spec.Distinct, spec.Unseen, spec.FirstTimeShare, spec.SinceLast)
EXTREMES = ("count", "maximum", "minimum")
OF_A_WINDOW = (spec.Count, spec.Rolling, spec.Ratio, spec.ZScore, spec.RealisedVolatility, spec.Range, spec.Beyond)


@pytest.mark.parametrize("view", [*VIEWS, *STEPPED, *LIVING], ids=lambda view: view.name)
@given(data=st.data())
def test_the_kernel_equals_the_oracle(view: FeatureView, data: st.DataObject) -> None:
    """Live, replay and training all trust this one fold: counts and extremes exactly, the rest to 1e-9.

    Where a window is flagged `approx`, counts, totals and extremes lie between the window and the window
    wider by one tile.
    """
    check(view, with_closings(view, data.draw(streams(view))))


@given(data=st.data())
def test_lives_of_many_currencies_equal_the_oracle(data: st.DataObject) -> None:
    """Totals of the first eight are kept, and those of the others are missing, not wrong."""
    check(LIVING[0], data.draw(streams(LIVING[0], currencies=MANY_CURRENCIES[:12])))


def check(view: FeatureView, events: list[Any]) -> None:
    """Vectors, flags and histories of all events."""
    batch = EventBatch.from_events(view.event, events)
    table, doubles = fold_table(view, batch), vectors_in_doubles(view, batch)
    np.testing.assert_array_equal(table.vectors, doubles.astype(np.float32))
    naive = Oracle(view)
    for row, event in enumerate(events):
        outcome = naive.fold(event)
        assert table.status[row] == STATUS[outcome.status], row
        if outcome.moment is None:
            assert np.isnan(table.vectors[row]).all()
            continue
        assert (table.late[row], table.depth[row]) == (outcome.late, outcome.depth), row
        assert not table.approx[row] or len(outcome.moment.memory) > view.ring, row
        check_vector(view, outcome.moment, outcome, doubles[row], approx=bool(table.approx[row]))
        check_history(view, table, row, outcome.history)


def check_vector(view: FeatureView, moment: Moment, outcome: Outcome, vector: Any, *, approx: bool) -> None:
    """Every feature equals its definition, or lies within one tile of it where that is allowed."""
    for feature, value in zip(view.features, vector.tolist(), strict=True):
        expected = outcome.vector[feature.name]
        if same(feature, value, expected, moment):
            continue
        assert approx and isinstance(feature, OF_A_WINDOW), (feature.name, value, expected, moment.current)
        low, high = bounds_of(feature, expected, moment)
        slack = 1e-9 * max(abs(low), abs(high)) if isinstance(feature, spec.Rolling) else 0
        assert low - slack <= value <= high + slack, (feature.name, value, low, high, moment.current)


def same(feature: spec.Feature, value: float, expected: float, moment: Moment) -> bool:
    """Equal: exactly for counts and extremes, else to 1e-9 or the rounding of the window's largest value."""
    if isinstance(feature, spec.Ratio | spec.ZScore) and divides_by_rounding(feature, moment):
        return True
    if math.isnan(expected) or math.isnan(value):
        return math.isnan(expected) and math.isnan(value)
    if isinstance(feature, EXACT) or getattr(feature, "statistic", "") in EXTREMES:
        return value == expected
    scale = 1.0
    if isinstance(feature, spec.Lifetime):
        if feature.statistic != "total":
            return value == expected
        scale = math.fsum(map(abs, lifetime_values(feature, moment) or ()))
    if isinstance(feature, spec.Rolling):
        values = rolling_values(feature, moment)
        scale = math.fsum(map(abs, values)) if feature.statistic == "total" else max(map(abs, values))
    return math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-12 * scale)


def divides_by_rounding(feature: spec.Ratio | spec.ZScore, moment: Moment) -> bool:
    """Whether all earlier values are means of numbers that cancel out: they depend on the order of adding."""
    declared = next((each for each in moment.view.numbers if each.name == feature.number), None)
    if not isinstance(declared, spec.RecentMean):
        return False
    largest = max((abs(one.numbers[declared.of] or 0.0) for one in moment.memory), default=0.0)
    return all(abs(value) <= 1e-12 * largest for value in moment.values(feature.number, moment.window(feature.window)))


def bounds_of(feature: Any, exact: float, moment: Moment) -> tuple[float, float]:
    """Between the window and the window with a tile more on either side; no bounds for other statistics."""
    newest = max(one.time for one in moment.memory)
    behind = max(newest - moment.current.time, 0)
    reach = behind + spec.duration_ms(feature.window)
    wider = {
        "wider_ms": spans_of(moment.view, reach),
        "later_ms": spans_of(moment.view, behind) if behind else 0,
    }
    if isinstance(feature, spec.Count):
        return exact, len(moment.window(feature.window, **wider)) + 1
    if isinstance(feature, spec.Rolling) and feature.statistic in ("count", "maximum", "minimum", "total"):
        statistic = STATISTICS[feature.statistic]
        widened = statistic(rolling_values(feature, moment, **wider))
        if math.isnan(exact):
            return -math.inf, math.inf
        return min(exact, widened), max(exact, widened)
    return -math.inf, math.inf


def check_history(view: FeatureView, table: Any, row: int, rows: list[int]) -> None:
    """The history a model sees is made of the very vectors that were scored."""
    assert view.history is not None
    columns = [view.feature_names.index(name) for name in view.history.features]
    assert table.lengths[row] == len(rows)
    np.testing.assert_array_equal(table.history[row, : len(rows)], table.vectors[rows][:, columns])
    assert np.isnan(table.history[row, len(rows) :]).all()
