"""One command of `riskstream` per file, each with `register(app)`; found by `stream.cli`."""
