"""Labels beside scores."""
