"""Payments unusual for account and merchant together: an autoencoder over what both usually do, in shadow."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.merchant_activity import VIEW

SCORER = Scorer(
    use="financial-crime anomaly detection: unusual payments of an account at a merchant",
    views=(VIEW,),
    trainer="autoencoder",
    policy=Policy(watch=0.97, alert=0.985, cooldown_ms=3_600_000),
    shadow=True,
)
