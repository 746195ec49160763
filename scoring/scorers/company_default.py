"""Default risk of companies: the probability of bankruptcy within five years of a statement.

The horizon is that of the labels it learned from: year 1 of the Polish set, whether bankrupt five years later.
"""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.company_ratios import VIEW

SCORER = Scorer(
    use="default risk: probability that a company goes bankrupt within five years of its statement",
    views=(VIEW,),
    trainer="boosting_quotients",
    policy=Policy(watch=0.10, alert=0.30, cooldown_ms=30 * 86_400_000),
    adverse_action=True,
    outcome="bankruptcy within five years of the statement",
    chosen=(
        "a baseline won: protocol polish has boosting_quotients ahead of the network tabular_quotients (AUC 0.995 to "
        "0.983); the network trains as a challenger"
    ),
)
