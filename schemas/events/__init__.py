"""One inbound event type per file, each with an `EVENT`; found by `schemas.catalog`."""
