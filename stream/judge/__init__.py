"""How good published scores are, by the labels that have come."""
