"""One use per file, each with a `USE`; found by `stream.demo.use_catalog`."""
