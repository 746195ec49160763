"""One `nn.Module` per file; what they hold is exported into the graph, calibration included."""
