"""One way of cutting data and judging models per file, each with a `METHOD`; found by `training.protocols.protocol`."""
