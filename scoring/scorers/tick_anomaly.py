"""Prices that move as the symbol's recent past does not foretell: a recurrent forecast of the next vector."""

from scoring.policy import Policy
from scoring.scorer import Scorer
from scoring.views.symbol_activity import VIEW

SCORER = Scorer(
    use="market risk: unusual moves of a symbol",
    views=(VIEW,),
    trainer="gru",
    policy=Policy(watch=0.98, alert=0.995, cooldown_ms=86_400_000),
)
