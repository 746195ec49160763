"""Cost curves, limits, latency against load and cold start: `make bench-full`, in parts that can be run one by one."""
