"""Payments that are fraud, learned from those that were: what account and merchant do, and what came back, in shadow.

The bundle that ships is trained on simulated cards; train one on your own payments and chargebacks.
"""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.merchant_risk import VIEW

SCORER = Scorer(
    use="financial crime: the probability that a payment is fraud, as chargebacks of the next seven days will tell",
    views=(VIEW,),
    trainer="tabular_with_error",
    policy=Policy(watch=0.2, alert=0.5, cooldown_ms=3_600_000),
    shadow=True,
    outcome="a payment being reported as fraud within seven days",
)
