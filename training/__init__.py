"""How a model is made: dataset, networks, loop, calibration, export, evaluation. The only place with torch."""
