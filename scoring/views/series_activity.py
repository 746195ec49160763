"""How a series moves, in its own units: its readings, their changes and their level against its past."""

from schemas.events.measurement import EVENT
from scoring.features.spec import Beyond, Difference, FeatureView, History, Number, RecentMean, ZScore

QUARTER = "90d"
RECORDS = ("1d", "3d", "7d", "30d", QUARTER)

VIEW = FeatureView(
    name="series_activity",
    event=EVENT,
    entity="series_id",
    numbers=(Number("value"), Difference("change", of="value"), RecentMean("level", of="value", events=12)),
    features=(
        *(Beyond(number, window, scale=QUARTER) for number in ("value", "change", "level") for window in RECORDS),
        *(ZScore(number, window) for number in ("value", "change", "level") for window in ("1d", "7d", QUARTER)),
    ),
    history=History(
        features=("value_zscore_90d", "change_zscore_90d", "value_beyond_3d", "change_beyond_3d", "level_beyond_3d"),
        length=32,
    ),
    ring=64,
    horizon=QUARTER,
    grace="1m",
    warm_after=100,
)
