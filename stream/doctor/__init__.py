"""Examines broker, topics, Redis, clocks, bundles and progress; every finding says what to do."""
