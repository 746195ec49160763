"""How a symbol moves from bar to bar: returns, volatility over several spans, ranges and trend."""

from schemas.events.bar import EVENT
from scoring.features.spec import (
    EwmaVolatility,
    FeatureView,
    History,
    LogReturn,
    MovingAverage,
    Number,
    Quotient,
    Range,
    RealisedVolatility,
    Rolling,
    SinceLast,
    Value,
    ZScore,
)

WEEK, MONTH, QUARTER, YEAR = "7d", "30d", "90d", "365d"

VIEW = FeatureView(
    name="bar_activity",
    event=EVENT,
    entity="symbol",
    numbers=(Number("close"), Number("volume"), LogReturn("log_return", of="close")),
    features=(
        Value("log_return"),
        *(RealisedVolatility("log_return", window) for window in (WEEK, MONTH, QUARTER)),
        *(Rolling("count", "log_return", window) for window in (WEEK, MONTH, QUARTER, YEAR)),
        *(Rolling("spread", "log_return", window) for window in (QUARTER, YEAR)),
        EwmaVolatility("log_return"),
        ZScore("log_return", QUARTER),
        *(MovingAverage("close", events) for events in (5, 20, 60)),
        *(Range("close", window) for window in (MONTH, YEAR)),
        Quotient("high", "low"),
        Quotient("close", "open"),
        ZScore("volume", MONTH),
        SinceLast(),
    ),
    history=History(features=("log_return", "log_return_spread_365d", "ewma_volatility"), length=64),
    ring=64,
    horizon="365d",
    grace="1m",
    warm_after=60,
)
