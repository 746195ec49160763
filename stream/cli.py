"""The command `riskstream`: finds the commands by their files and by entry points, and maps errors to exit codes."""

import importlib
import pkgutil
import sys
from importlib.metadata import EntryPoint, entry_points

import typer
from rich.console import Console

import stream.commands
from stream.errors import JobFailed

TRAINING = "riskstream.commands"
app = typer.Typer(
    name="riskstream",
    help="Score financial events in real time, and replay them.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Runs the command line; exits 0 on success, 1 when a job was refused or failed, 2 on wrong usage."""
    register_commands(app)
    try:
        app(standalone_mode=True)
    except JobFailed as failed:
        # the text may hold what users and senders wrote: printed as it is, never as markup
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        console.print("error: ", style="bold red", end="")
        console.print(str(failed), markup=False)
        sys.exit(1)


def register_commands(target: typer.Typer) -> None:
    """Adds every command of `stream/commands/`, then those that other packages register by entry point."""
    for module in pkgutil.iter_modules(stream.commands.__path__):
        importlib.import_module(f"stream.commands.{module.name}").register(target)
    for entry in sorted(entry_points(group=TRAINING), key=lambda entry: entry.name):
        _register_entry(target, entry)


def _register_entry(target: typer.Typer, entry: EntryPoint) -> None:
    try:
        command = entry.load()
    except ModuleNotFoundError as missing:
        name = missing.name

        def command() -> None:
            raise JobFailed(
                f"`riskstream {entry.name}` needs {name}, which is not installed; "
                "install it with: pip install 'riskstream[train]'"
            )

        command.__doc__ = f"Needs the training extra ({name} is missing): pip install 'riskstream\\[train]'"
        target.command(
            entry.name, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
        )(command)
        return
    target.command(entry.name)(command)
