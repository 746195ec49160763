"""One trainer per file, each with a `TRAINER`; a scorer names the one it wants."""
