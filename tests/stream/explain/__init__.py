"""Tests of stream/explain."""
