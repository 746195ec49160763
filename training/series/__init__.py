"""Anomalies in series: how detections are counted, and plain rivals that need no training."""
