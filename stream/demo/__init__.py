"""The demonstration: shipped real data, injected frauds, and the run that shows them."""
