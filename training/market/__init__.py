"""Forecasts of tomorrow's return: the classical ones, and how forecasts of volatility and loss are judged."""
