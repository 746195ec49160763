"""A challenger of `payment_anomaly`: self-attention over the account's last vectors, in shadow."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.account_activity import VIEW

SCORER = Scorer(
    use="financial-crime anomaly detection: challenger that reads the sequence of payments",
    views=(VIEW,),
    trainer="attention",
    policy=Policy(watch=0.97, alert=0.985, cooldown_ms=3_600_000),
    shadow=True,
)
