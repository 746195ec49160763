"""How a model is made: data set, networks, loop, calibration, export, evaluation. Only here is torch."""
