"""The Faust worker: one agent, one event per poll, leases, commits, recovery, health."""
