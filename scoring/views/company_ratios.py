"""The ratios of a company's statement as they are; a missing one is missing, which tells something by itself."""

from schemas.events.company_statement import EVENT, CompanyStatement
from scoring.features.spec import FeatureView, Number, Value

RATIOS = tuple(
    name for name in CompanyStatement.__struct_fields__ if name not in ("event_id", "occurred_at_ms", "company_id")
)

VIEW = FeatureView(
    name="company_ratios",
    event=EVENT,
    entity="company_id",
    numbers=(Number("log_total_assets"),),
    features=tuple(Value(name) for name in RATIOS),
    ring=4,
    horizon="1100d",
    grace="1d",
    warm_after=0,
)
