"""The plots of the documents, drawn from the results alone: `python -m benchmarks.pages`."""
