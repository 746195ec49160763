"""The error of a training or evaluation that cannot be done as asked."""


class TrainingRefused(Exception):
    """Data, options or result do not allow it; the text names the thing, what was found, and the remedy."""
