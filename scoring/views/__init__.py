"""One feature view per file, each with a `VIEW`; found by `scoring.catalog`."""
