"""The worker's protocol in one process, without time and without services: thousands of histories with faults at every await."""
