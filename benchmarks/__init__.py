"""Measurements of riskstream beside the obvious alternative: `make bench`, or `python -m benchmarks --help`."""
