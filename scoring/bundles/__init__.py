"""Models that ship with riskstream, one folder per scorer, made by `make train`."""
