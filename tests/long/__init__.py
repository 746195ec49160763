"""Faults that take minutes or many processes: `make test ARGS=long`."""
