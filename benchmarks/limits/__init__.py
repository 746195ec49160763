"""Physical limits: each part of a worker's work alone, in a process of its own, as fast as it goes.

No pipeline on the same clients, server and model can be faster than the slowest of these.
"""
