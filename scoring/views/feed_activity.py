"""Whether a symbol's feed still brings prices that move: the last returns, and the times between its bars."""

from schemas.events.bar import EVENT
from scoring.features.spec import EwmaVolatility, FeatureView, History, LogReturn, Number, SinceLast, Value

VIEW = FeatureView(
    name="feed_activity",
    event=EVENT,
    entity="symbol",
    numbers=(Number("close"), LogReturn("log_return", of="close")),
    features=(Value("log_return"), EwmaVolatility("log_return", decay=0.5), SinceLast()),
    history=History(features=("log_return", "seconds_since_last"), length=64),
    ring=64,
    horizon="365d",
    grace="1m",
    warm_after=30,
    together=(("log_return", "ewma_volatility"),),
    usual_at=(("log_return", 0.75),),  # their median is 0: a bar that stands still, which is not the usual one
)
