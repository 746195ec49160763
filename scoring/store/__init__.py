"""State of the entities of one input partition, held under a fenced lease."""
