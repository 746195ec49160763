"""Finds a published score and says why it is what it is."""
