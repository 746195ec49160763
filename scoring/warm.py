"""Compiles the feature kernels ahead of their first use, which takes some 20 s once: `python -m scoring.warm`."""

from scoring.catalog import views
from scoring.features.batch import EventBatch
from scoring.features.table import fold_table
from scoring.kernel_cache import mark_complete


def main() -> None:
    """Folds nothing in every view; numba compiles or loads what that takes and keeps it."""
    for view in views().values():
        fold_table(view, EventBatch.from_events(view.event, []))
    mark_complete()


if __name__ == "__main__":
    main()
