"""Every client reaches Kafka by the same settings, and a password travels only where it is allowed to."""

import ssl
from pathlib import Path

import pytest

from stream.errors import JobFailed
from stream.kafka import client_arguments
from stream.settings import load

PLACES = {"kafka_bootstrap": "one:9092, two:9092", "redis_url": "redis://127.0.0.1:6379/0"}


def test_plain_settings_give_all_servers_and_nothing_secret() -> None:
    """One dead broker of several must not stop a client from starting."""
    assert client_arguments(load({}, **PLACES)) == {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "security_protocol": "PLAINTEXT",
    }


def test_password_goes_with_tls_that_checks_the_host() -> None:
    """SASL without a context silently means plaintext in one of the clients."""
    settings = load({}, **PLACES, kafka_security="SASL_SSL", kafka_user="me", kafka_password="secret")
    arguments = client_arguments(settings)
    context = arguments["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert arguments["security_protocol"] == "SASL_SSL"
    assert (arguments["sasl_plain_username"], arguments["sasl_plain_password"]) == ("me", "secret")
    assert "secret" not in repr(settings)


def test_unreadable_certificate_is_named(tmp_path: Path) -> None:
    """Python's own error does not say which file it was."""
    missing = tmp_path / "ca.pem"
    with pytest.raises(JobFailed, match=r"ca\.pem"):
        client_arguments(load({}, **PLACES, kafka_security="SSL", kafka_ca_file=missing))


def test_key_without_its_certificate_is_refused(tmp_path: Path) -> None:
    """It would be ignored otherwise, and the broker's refusal says nothing about it."""
    key = tmp_path / "key.pem"
    with pytest.raises(JobFailed, match="kafka_cert_file"):
        client_arguments(load({}, **PLACES, kafka_security="SSL", kafka_key_file=key))


@pytest.mark.parametrize("wrong", ["broker", "one:9092,two", "one:", ":9092", "one:http", "one:99999", ""])
def test_a_broker_that_is_no_host_and_port_is_named(wrong: str) -> None:
    """A forgotten port is said when settings are read, not by a client's traceback."""
    with pytest.raises(JobFailed, match=r"kafka_bootstrap: expected host:port.* was '"):
        load({}, **(PLACES | {"kafka_bootstrap": wrong}))
