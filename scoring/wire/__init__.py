"""Scores as the bytes that travel, many at a time, by compiled code: their JSON, and Kafka's records around it."""
