"""Periods more volatile than their forecast: realised variance by a network that starts as a log-HAR model."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.variance_activity import VIEW

SCORER = Scorer(
    use="market risk: realised volatility of the next period, and periods that were wilder than foreseen",
    views=(VIEW,),
    trainer="variance_forecast",
    policy=Policy(watch=0.98, alert=0.995, cooldown_ms=86_400_000),
)
