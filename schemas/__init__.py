"""What crosses a topic: events in; scores, alerts and dead letters out."""
