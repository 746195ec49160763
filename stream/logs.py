"""Logs of a worker: structured, to standard error, one line per event; no event's content and no secret in them."""

import logging
import sys

import structlog

from stream.settings import Settings


def set_up_logging(settings: Settings) -> None:
    """Sets structlog and the standard library's logging up for this process."""
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # aiokafka reports every rebalance and every retried request, 80 lines a second while a broker is away; what it cannot
    # mend it raises, and riskstream says what matters
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("faust").setLevel(logging.ERROR)
    logging.getLogger("mode").setLevel(logging.ERROR)
