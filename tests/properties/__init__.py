"""Drawn streams: what must hold whatever comes."""
