"""A progress bar for training; on the error stream, and only where someone watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training.loop import Report


@contextmanager
def training_progress(epochs: int, *, hidden: bool) -> Iterator[Report]:
    """A report function that moves a bar by one epoch and shows both losses.

    Args:
        epochs: most epochs there will be.
        hidden: shows nothing, for programs that read the output.
    """
    console = Console(stderr=True)
    said = TextColumn("{task.description}")
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), said, TimeElapsedColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal) as progress:
        task = progress.add_task("", total=epochs)

        def report(epoch: int, trained: float, validated: float) -> None:
            said = f"epoch {epoch + 1}  loss {trained:.4f}  validation {validated:.4f}"
            progress.update(task, completed=epoch + 1, description=said)

        yield report


@contextmanager
def told_progress(*, hidden: bool) -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done now, while something of unknown length goes on.

    Args:
        hidden: as of `training_progress`.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal) as progress:
        task = progress.add_task("reading")
        yield lambda said: progress.update(task, description=said)
