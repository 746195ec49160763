"""How a portfolio's value moves from period to period: returns and volatility over several spans, as `bar_activity`."""

from schemas.events.portfolio_return import EVENT
from scoring.features.of_returns import features_of, history_of
from scoring.features.spec import FeatureView, Number, SinceLast

VIEW = FeatureView(
    name="portfolio_activity",
    event=EVENT,
    entity="portfolio_id",
    numbers=(Number("simple_return"),),
    features=(*features_of("simple_return"), SinceLast()),
    history=history_of("simple_return"),
    ring=64,
    horizon="365d",
    grace="1m",
    warm_after=60,
)
