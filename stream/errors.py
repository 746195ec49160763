"""Errors of the command line and of start-up; each names the thing, what was found, and the remedy."""


class JobFailed(Exception):
    """A job was refused or failed; the command line prints the text and exits with code 1."""
