"""The worker's own protocol in one process, without time and without services: faults at every await, by a seed."""
