"""Feeds files into Kafka: mapped, checked, keyed and paced."""
