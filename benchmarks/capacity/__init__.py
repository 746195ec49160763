"""What a given rate needs, computed and simulated from measured service times: `python -m benchmarks.capacity`."""
