"""Protocols: how a use is evaluated, fixed in a file, the same for deep and classical models."""
