"""Default risk of credit card accounts: the probability that the next month's payment fails."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.account_months import VIEW

SCORER = Scorer(
    use="default risk: probability that a card account defaults on its payment next month",
    views=(VIEW,),
    trainer="tabular",
    policy=Policy(watch=0.30, alert=0.50, cooldown_ms=20 * 86_400_000),
    adverse_action=True,
    outcome="default on the payment of the next month",
)
