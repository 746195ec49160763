"""Starts a worker and turns what stops it before it runs into one line for people."""

from scoring.catalog import BrokenDeclaration, UnknownScorer
from scoring.model.errors import RefusedBundle
from stream.errors import JobFailed
from stream.settings import Settings
from stream.worker.run import run_worker


def start(settings: Settings) -> int:
    """Runs a worker; gives its exit code.

    Raises:
        JobFailed: a declaration, a bundle or a setting is not usable.
    """
    try:
        return run_worker(settings)
    except (BrokenDeclaration, UnknownScorer, RefusedBundle) as error:
        raise JobFailed(str(error)) from error
