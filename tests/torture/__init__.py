"""Faults against real processes, at random by a seed: `make torture SEED=7 MINUTES=60`."""
