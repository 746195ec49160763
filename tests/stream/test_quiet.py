"""Warnings of ours go to the standard error there is when they are said."""

import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from stream.quiet import quieten_libraries


@pytest.fixture(autouse=True)
def _configuration_of_before() -> Iterator[None]:
    """What is configured here is for all of the process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_warning_after_standard_error_was_replaced_and_closed_still_arrives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command called in process by a test leaves its configuration behind; the next warning met a closed file."""
    with monkeypatch.context() as replaced:
        captured = io.StringIO()
        replaced.setattr(sys, "stderr", captured)
        quieten_libraries()
        structlog.get_logger("riskstream").warning("said inside")
    captured.close()
    structlog.get_logger("riskstream").warning("said afterwards")
    out, error = capsys.readouterr()
    assert "said afterwards" in error and not out
