"""Faults against real processes, each by itself; `tests.torture` composes them at random."""
