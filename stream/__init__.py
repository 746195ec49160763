"""Where scoring meets the world: worker, feed, subscribe, replay, embedded services, command line."""
