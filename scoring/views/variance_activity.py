"""How a symbol's realised variance moves from period to period: its last values, means over spans, the clock.

Means over 1, 5 and 22 steps of the history are the lags of the heterogeneous autoregressive model (Corsi 2009).
"""

from schemas.events.realised_variance import EVENT
from scoring.features.spec import Clock, FeatureView, History, Number, Rolling, SinceLast, Value, ZScore

WEEK, MONTH, YEAR = "7d", "30d", "365d"

VIEW = FeatureView(
    name="variance_activity",
    event=EVENT,
    entity="symbol",
    numbers=(Number("variance"), Number("log_return")),
    features=(
        Value("variance"),
        Value("log_return"),
        *(Rolling("mean", "variance", window) for window in (WEEK, MONTH, YEAR)),
        Rolling("count", "variance", YEAR),
        ZScore("variance", MONTH),
        Clock("hour", "sine"),
        Clock("hour", "cosine"),
        Clock("weekday", "sine"),
        Clock("weekday", "cosine"),
        SinceLast(),
    ),
    history=History(
        features=(
            "variance", "log_return", "variance_mean_365d", "hour_sine", "hour_cosine", "weekday_sine",
            "weekday_cosine",
        ),
        length=64,
    ),
    ring=64,
    horizon="365d",
    grace="1m",
    warm_after=60,
)  # fmt: skip
