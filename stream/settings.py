"""Every setting of riskstream: one frozen object, read once, from `RISKSTREAM_…` variables or a TOML file."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from stream.errors import JobFailed

PREFIX = "RISKSTREAM_"
FILE_VARIABLE = "RISKSTREAM_SETTINGS"


class Settings(BaseSettings):
    """All settings; names are the same in the environment (upper case, prefixed) and in the file (lower case)."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix=PREFIX)

    namespace: str = Field(
        "riskstream",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
        description="prefix of the Redis keys and of the consumer group",
    )
    data_dir: Path = Field(Path(".riskstream"), description="where embedded services and run files live")

    kafka_bootstrap: str = Field("127.0.0.1:9092", description="host:port, several separated by commas")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"] = "PLAINTEXT"
    kafka_ca_file: Path | None = None
    kafka_cert_file: Path | None = None
    kafka_key_file: Path | None = None
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_user: str | None = None
    kafka_password: SecretStr | None = None
    kafka_allow_plaintext_password: bool = Field(
        False, description="the explicit yes that SASL without TLS needs"
    )

    redis_url: str = Field(
        "redis://127.0.0.1:6379/0", description="redis:// or rediss:// for TLS, without password"
    )
    redis_user: str | None = None
    redis_password: SecretStr | None = None
    redis_ca_file: Path | None = None
    redis_cluster: bool = False

    scorers: tuple[str, ...] = Field((), description="names of the scorers to run; empty means all")
    bundle_dirs: tuple[Path, ...] = Field((), description="folders of bundles beside the shipped ones")
    strict: bool = Field(False, description="refuse unknown fields instead of counting them")
    key_check: Literal["murmur2", "key", "none"] = "murmur2"
    skew_ms: int = Field(300_000, ge=0, description="how far an event may lie after its record's broker time")
    refuse_share: float = Field(
        0.5, gt=0, le=1, description="share of refused among 1,000 records that pauses a partition"
    )
    pseudonym_key_file: Path | None = Field(
        None, description="key of `feed --pseudonymise`, at least 16 bytes"
    )
    dead_letter_content: Literal["nothing", "hash", "bytes"] = "hash"

    poll_records: int = Field(8_000, ge=1, le=50_000, description="most records of one poll")
    session_timeout_ms: int = Field(10_000, ge=1_000)
    cache_entities: int = Field(18_000, ge=0, description="entities whose state a worker keeps in memory")
    compression: Literal["none", "lz4", "zstd", "snappy"] = Field(
        "none",
        description="of the outputs; lz4 costs the worker 5 us per record and saves two fifths of the bytes",
    )
    model_timeout_s: float = Field(30.0, gt=0, description="a model call that takes longer ends the process")
    health_port: int = Field(
        0, ge=0, le=65_535, description="loopback port of health and metrics; 0 takes a free one"
    )
    worker_id: str | None = Field(
        None, description="static group membership; unset hands partitions over at once on a stop"
    )
    log_format: Literal["console", "json"] = "console"

    @field_validator("kafka_bootstrap")
    @classmethod
    def _servers_have_ports(cls, value: str) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
                raise ValueError(f"expected host:port, several separated by commas, was {server.strip()!r}")
        return value

    @model_validator(mode="after")
    def _passwords_travel_over_tls_unless_allowed(self) -> Self:
        if self.kafka_security == "SASL_PLAINTEXT" and not self.kafka_allow_plaintext_password:
            raise ValueError(
                "kafka_security is SASL_PLAINTEXT, which sends the password readable; "
                "use SASL_SSL, or set kafka_allow_plaintext_password = true"
            )
        if self.kafka_security.startswith("SASL") and (
            self.kafka_user is None or self.kafka_password is None
        ):
            raise ValueError(f"kafka_security is {self.kafka_security}; set kafka_user and kafka_password")
        if "@" in self.redis_url:
            raise ValueError(
                "redis_url holds credentials; use redis_user and redis_password, which are never printed"
            )
        if self.redis_ca_file and not self.redis_url.startswith("rediss://"):
            raise ValueError("redis_ca_file is given, but redis_url is not rediss://; use rediss:// for TLS")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit values only: `load` has already merged file and environment."""
        return (init_settings,)


def load(environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """The settings: what is given here, else the environment, else the file named by `RISKSTREAM_SETTINGS`.

    Without any broker address, the addresses that `riskstream up` stored under `data_dir` are used.

    Raises:
        JobFailed: an unknown name or a value that does not fit; the text names both and never a secret's value.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, object] = {}
    file = environment.get(FILE_VARIABLE)
    if file:
        values |= _from_file(Path(file))
    for name, value in environment.items():
        if name.startswith(PREFIX) and name != FILE_VARIABLE:
            field = name.removeprefix(PREFIX).lower()
            values[field] = tuple(part for part in value.split(",") if part) if _is_list(field) else value
    values |= {name: value for name, value in given.items() if value is not None}
    known = Settings.model_fields
    unknown = sorted(name for name in values if name not in known)
    if unknown:
        raise JobFailed(f"unknown setting {', '.join(unknown)}; known are {', '.join(known)}")
    if "kafka_bootstrap" not in values and "redis_url" not in values:
        from stream.services.addresses import stored_addresses

        values |= stored_addresses(Path(str(values.get("data_dir", known["data_dir"].default))))
    try:
        return Settings(**values)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        )
        raise JobFailed(f"settings refused: {problems}") from None


def _is_list(field: str) -> bool:
    return field in ("scorers", "bundle_dirs")


def _from_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise JobFailed(f"settings file {path}: {error.strerror}; correct {FILE_VARIABLE}") from None
    except tomllib.TOMLDecodeError as error:
        raise JobFailed(f"settings file {path}: {error}; it must be TOML") from None
