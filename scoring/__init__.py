"""How an event becomes a score: feature views, state, models, policy. No Faust, no torch."""
