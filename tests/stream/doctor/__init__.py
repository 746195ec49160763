"""Tests of stream/doctor."""
