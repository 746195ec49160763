"""What `riskstream demo` does: folder, screen, run, summary, exit code."""

import re
import signal
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from types import FrameType

import msgspec
from rich.console import Console

from stream.demo.closing import tell_closing
from stream.demo.folder import fresh_folder
from stream.demo.run import Demo
from stream.demo.screen import picture, screen_for
from stream.demo.summary import Summary, UseSummary, problems_of, summary_of
from stream.demo.use import Returned, Use
from stream.demo.use_closing import tell_use, use_summary
from stream.settings import Settings

INTERRUPTED = 130
PICTURE_COLUMNS, PICTURE_ROWS = 132, 36
FONT_FROM_ELSEWHERE = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)


def run_demo(settings: Settings, *, as_json: bool, use: Use | None = None, picture_to: Path | None = None) -> int:
    """Runs the demo and prints its summary; the exit code: 0, 1 when a figure is not good enough, 130 by Ctrl-C.

    Args:
        settings: whose data_dir, bundle_dirs and scorers count.
        as_json: end with the summary as one line of JSON on standard output, the rest on standard error.
        use: what is shown, by its own scorers; without one the demo of payments and prices.
        picture_to: file that takes the finished screen as SVG.

    Raises:
        JobFailed: services or worker could not do their work.
    """
    console = Console(stderr=as_json, highlight=False)
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _as_if_interrupted)
    try:
        return _run(settings, console, use, as_json=as_json, picture_to=picture_to)
    except KeyboardInterrupt:
        console.print("stopped before its end; nothing was judged")
        return INTERRUPTED


def _run(
    settings: Settings, console: Console, use: Use | None, *, as_json: bool, picture_to: Path | None
) -> int:
    with fresh_folder(settings.data_dir) as folder:
        demo = Demo(folder, settings, use)
        with screen_for(console, demo.state) as screen:
            demo.run(screen)
        if picture_to is not None:
            _write_picture(demo, picture_to)
        said, problems = _told(demo, console) if use is None else _told_of_use(demo, use, console)
        if as_json:
            print(msgspec.json.encode(said).decode(), flush=True)
    return 1 if problems else 0


def _told(demo: Demo, console: Console) -> tuple[Summary, Sequence[str]]:
    summary, extras = summary_of(demo.ledger), demo.extras()
    problems = problems_of(summary, extras)
    tell_closing(console, demo.state, demo.folder, summary, extras, problems)
    return summary, problems


def _told_of_use(demo: Demo, use: Use, console: Console) -> tuple[UseSummary, Sequence[str]]:
    summary, extras = summary_of(demo.ledger), demo.extras()
    judged = use.judge(Returned(demo.inputs, demo.ledger.kept, tuple(demo.ledger.shown)))
    said = use_summary(use.name, summary, extras, judged, repeated=demo.ledger.repeated)
    tell_use(console, demo, use, judged, said)
    return said, said.problems


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
