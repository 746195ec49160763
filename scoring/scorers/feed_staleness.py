"""Feeds that stand still: bars that repeat the price for longer than usual and, when asked, bars that do not come."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.feed_activity import VIEW

SCORER = Scorer(
    use="market risk: a feed of bars that stands still or falls silent",
    views=(VIEW,),
    trainer="standstill",
    policy=Policy(watch=0.999, alert=0.9999, cooldown_ms=3_600_000),
)
