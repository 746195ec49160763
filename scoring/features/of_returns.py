"""What views keep of returns, of whatever: volatility over several spans, and the history of a forecast."""

from scoring.features.spec import (
    EwmaVolatility,
    Feature,
    FeatureView,
    History,
    RealisedVolatility,
    Rolling,
    Value,
    ZScore,
)

WEEK, MONTH, QUARTER, YEAR = "7d", "30d", "90d", "365d"
STEPS = 64


def features_of(number: str) -> tuple[Feature, ...]:
    """The features of a number that is a return per event."""
    return (
        Value(number),
        *(RealisedVolatility(number, window) for window in (WEEK, MONTH, QUARTER)),
        *(Rolling("count", number, window) for window in (WEEK, MONTH, QUARTER, YEAR)),
        *(Rolling("spread", number, window) for window in (QUARTER, YEAR)),
        EwmaVolatility(number),
        ZScore(number, QUARTER),
    )


def history_of(number: str) -> History:
    """What a forecast of the next return reads: past ones, and their long-run spread as the unit."""
    return History(features=(number, _unit(number), "ewma_volatility"), length=STEPS)


def return_of(view: FeatureView) -> str | None:
    """The name of the return whose history a view keeps with its long-run spread behind it; None if it keeps none."""
    names = view.history.features if view.history else ()
    return names[0] if len(names) > 1 and names[1] == _unit(names[0]) else None


def _unit(number: str) -> str:
    return f"{number}_spread_{YEAR}"
