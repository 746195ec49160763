"""Payments that do not look like the account's own: an autoencoder over the account's activity."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.account_activity import VIEW

SCORER = Scorer(
    use="financial-crime anomaly detection: unusual payments of an account",
    views=(VIEW,),
    trainer="autoencoder",
    policy=Policy(watch=0.97, alert=0.985, cooldown_ms=3_600_000),
)
