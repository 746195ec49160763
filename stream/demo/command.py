"""What `riskstream demo` does: folder, screen, run, summary, exit code."""

import re
import signal
from io import StringIO
from pathlib import Path
from types import FrameType

import msgspec
from rich.console import Console

from stream.demo.closing import tell_closing
from stream.demo.folder import fresh_folder
from stream.demo.run import Demo
from stream.demo.screen import picture, screen_for
from stream.demo.summary import problems_of, summary_of
from stream.settings import Settings

INTERRUPTED = 130
PICTURE_COLUMNS, PICTURE_ROWS = 132, 36
FONT_FROM_ELSEWHERE = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


def run_demo(settings: Settings, *, as_json: bool, picture_to: Path | None = None) -> int:
    """Runs the demo and prints its summary; the exit code: 0, 1 when a figure is not good enough, 130 by Ctrl-C.

    Args:
        settings: whose data_dir, bundle_dirs and scorers count.
        as_json: end with the summary as one line of JSON on standard output, the rest on standard error.
        picture_to: file that takes the finished screen as SVG.

    Raises:
        JobFailed: services or worker could not do their work.
    """
    console = Console(stderr=as_json, highlight=False)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _as_if_interrupted)
    try:
        return _run(settings, console, as_json=as_json, picture_to=picture_to)
    except KeyboardInterrupt:
        console.print("stopped before its end; nothing was judged")
        return INTERRUPTED


def _run(settings: Settings, console: Console, *, as_json: bool, picture_to: Path | None) -> int:
    with fresh_folder(settings.data_dir) as folder:
        demo = Demo(folder, settings)
        with screen_for(console, demo.state) as screen:
            demo.run(screen)
        summary, extras = summary_of(demo.ledger), demo.extras()
        problems = problems_of(summary, extras)
        if picture_to is not None:
            _write_picture(demo, picture_to)
        tell_closing(console, demo.state, folder, summary, extras, problems)
        if as_json:
            print(msgspec.json.encode(summary).decode(), flush=True)
    return 1 if problems else 0


def _as_if_interrupted(_signal: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


def _write_picture(demo: Demo, file: Path) -> None:
    console = Console(
        record=True, file=StringIO(), width=PICTURE_COLUMNS, height=PICTURE_ROWS, force_terminal=True,
        color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    console.print(picture(demo.state))
    svg = console.export_svg(title="riskstream demo")
    # the picture stands alone: no font is fetched from elsewhere when somebody looks at it
    file.write_text(FONT_FROM_ELSEWHERE.sub("", svg), encoding="utf-8")
