"""Names of the topics that riskstream writes; input topics are declared by the event types."""

SCORES = "risk-scores"
ALERTS = "alerts"
DEAD_LETTERS = "dead-letters"
LABELS = "labels"
ACTIVATIONS = "activations"
OUTPUT_TOPICS = frozenset({SCORES, ALERTS, DEAD_LETTERS, ACTIVATIONS})
