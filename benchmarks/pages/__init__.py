"""Figures from the results into the documents, so that no page tells others: `python -m benchmarks.pages`."""
