"""Reads a topic for people and programs, without joining a consumer group."""
