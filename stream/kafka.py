"""How every client reaches Kafka: the settings as keyword arguments of aiokafka and of kafka-python."""

import ssl
from typing import Any

from stream.errors import JobFailed
from stream.settings import Settings


def client_arguments(settings: Settings) -> dict[str, Any]:
    """Address, TLS and SASL for any client of aiokafka or kafka-python, which take the same names.

    Raises:
        JobFailed: a file of certificates or keys cannot be read.

    Example:
        consumer = AIOKafkaConsumer(**client_arguments(settings), group_id="mine")
        admin = KafkaAdminClient(**client_arguments(settings))
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": [
            server.strip() for server in settings.kafka_bootstrap.split(",") if server.strip()
        ],
        "security_protocol": settings.kafka_security,
    }
    context = tls_context(settings)
    if context is not None:
        arguments["ssl_context"] = context
    if settings.kafka_security.startswith("SASL") and settings.kafka_password is not None:
        arguments["sasl_mechanism"] = settings.kafka_sasl_mechanism
        arguments["sasl_plain_username"] = settings.kafka_user
        arguments["sasl_plain_password"] = settings.kafka_password.get_secret_value()
    return arguments


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS for Kafka: host names checked, authorities of the system or of `kafka_ca_file`; None without TLS.

    Raises:
        JobFailed: a file of certificates or keys cannot be read, or a key is given without its certificate.
    """
    if settings.kafka_security not in ("SSL", "SASL_SSL"):
        return None
    if settings.kafka_key_file and not settings.kafka_cert_file:
        raise JobFailed(
            "kafka_key_file is given without kafka_cert_file; give the certificate that belongs to it"
        )
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ca_file)
        if settings.kafka_cert_file:
            context.load_cert_chain(settings.kafka_cert_file, settings.kafka_key_file)
    except (OSError, ssl.SSLError) as error:
        files = (settings.kafka_ca_file, settings.kafka_cert_file, settings.kafka_key_file)
        named = ", ".join(str(file) for file in files if file)
        raise JobFailed(
            f"TLS files of Kafka ({named or 'the system'}): {error}; expected readable PEM files"
        ) from None
    return context
