"""The checker itself: it must fail whenever something is wrong."""
