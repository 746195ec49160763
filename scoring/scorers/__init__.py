"""One scorer per file, each with a `SCORER`; found by `scoring.catalog`."""
