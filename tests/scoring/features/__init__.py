"""The feature engine: each feature with numbers worked out by hand, order of arrival, declarations."""
