"""Real Kafka and Redis as child processes on loopback, for the demo, development and tests."""
