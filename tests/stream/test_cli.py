"""How the command line ends when a job fails."""

from tests.support.command_line import riskstream


def test_a_failure_is_told_in_its_own_words_whatever_they_hold() -> None:
    """Names come from users and senders; brackets in them are neither markup nor a reason to crash."""
    done = riskstream("scorers", settings="[/bold].[red].toml")
    assert done.returncode == 1
    assert done.stderr.startswith("error: settings file [/bold].[red].toml: No such file")
