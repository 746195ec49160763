"""Log lines of libraries, kept out of what a command prints."""

import logging
import sys

import structlog


def quieten_libraries() -> None:
    """Silences the Kafka clients, whose failures a command tells itself; our warnings go to standard error.

    Standard output belongs to the command: with `--json` a program reads it.
    """
    for name in ("aiokafka", "kafka"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.dev.ConsoleRenderer(colors=False)],
        # asked for anew by each line: whoever replaces standard error for a while closes it afterwards
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
