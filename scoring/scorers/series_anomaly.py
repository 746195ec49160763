"""Readings of a series that are strange by its own past: spikes, shifts of level, changes of pace."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.series_activity import VIEW

SCORER = Scorer(
    use="financial-crime anomaly detection: anomalies in series of measurements",
    views=(VIEW,),
    trainer="autoencoder",
    policy=Policy(watch=0.98, alert=0.995, cooldown_ms=3_600_000),
)
