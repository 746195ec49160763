"""How a symbol moves from bar to bar: returns, volatility over several spans, ranges and trend."""

from schemas.events.bar import EVENT
from scoring.features.of_returns import MONTH, YEAR, features_of, history_of
from scoring.features.spec import (
    FeatureView,
    LogReturn,
    MovingAverage,
    Number,
    Quotient,
    Range,
    SinceLast,
    ZScore,
)

VIEW = FeatureView(
    name="bar_activity",
    event=EVENT,
    entity="symbol",
    numbers=(Number("close"), Number("volume"), LogReturn("log_return", of="close")),
    features=(
        *features_of("log_return"),
        *(MovingAverage("close", events) for events in (5, 20, 60)),
        *(Range("close", window) for window in (MONTH, YEAR)),
        Quotient("high", "low"),
        Quotient("close", "open"),
        ZScore("volume", MONTH),
        SinceLast(),
    ),
    history=history_of("log_return"),
    ring=64,
    horizon="365d",
    grace="1m",
    warm_after=60,
)
