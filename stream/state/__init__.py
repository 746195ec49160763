"""Looks into the state store for people, and forgets an entity there."""
