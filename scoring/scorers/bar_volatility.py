"""Returns that yesterday's forecast of their distribution did not foresee: a convolution over the bars before."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.bar_activity import VIEW

SCORER = Scorer(
    use="market risk: volatility, value at risk and surprising returns of a symbol",
    views=(VIEW,),
    trainer="return_forecast",
    policy=Policy(watch=0.98, alert=0.995, cooldown_ms=86_400_000),
)
