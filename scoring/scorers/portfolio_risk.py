"""Returns of a portfolio that the forecast before them did not foresee, and what the next period may cost."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.portfolio_activity import VIEW

SCORER = Scorer(
    use="market risk: volatility, value at risk, expected shortfall and surprising returns of a portfolio",
    views=(VIEW,),
    trainer="return_forecast",
    policy=Policy(watch=0.98, alert=0.995, cooldown_ms=86_400_000),
)
