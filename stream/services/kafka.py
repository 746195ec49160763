"""A real Apache Kafka of one node (KRaft: broker and controller in one process) on loopback."""

import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from stream.errors import JobFailed
from stream.services.jars import Say, fetch_jars
from stream.services.java import find_java
from stream.services.ports import LOOPBACK, free_ports
from stream.services.service import Service

METADATA_REQUEST = 3
METADATA_VERSION = 4

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
log.retention.ms=-1
num.network.threads=2
num.io.threads=4
background.threads=4
# a broker that was killed may register again only when its old session has run out, 9 s unless told otherwise
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
# the cleaner's buffer is taken from the heap at the start, 128 MB unless told otherwise
log.cleaner.dedupe.buffer.size=8388608
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
"""

LOGGING = """\
rootLogger.level=warn
rootLogger.appenderRef.stdout.ref=STDOUT
appender.console.type=Console
appender.console.name=STDOUT
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=[%d] %p %m (%c)%n
"""


class EmbeddedKafka(Service):
    """One broker with its own folder.

    Args:
        folder: data, settings and log of the broker.
        port: port of the listener; a free one when not given.
        heap_mb: most memory of the Java heap, in MB; the process takes about 150 MB more.
        detached: the broker outlives this process.
        say: is told what goes on, in lines for people.
        extra: further properties of the broker, which come last and so count.
        cluster_id: of several brokers that belong together, 22 characters of base64; a new one when not given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        heap_mb: int = 384,
        detached: bool = False,
        say: Say = lambda _: None,
        extra: Mapping[str, str] = MappingProxyType({}),
        cluster_id: str | None = None,
    ) -> None:
        super().__init__("Kafka", folder, port=port, detached=detached)
        self._heap_mb = heap_mb
        self._say = say
        self._extra = dict(extra)
        self._cluster_id = cluster_id or new_cluster_id()

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients."""
        return f"{LOOPBACK}:{self.port}"

    def answers(self) -> bool:
        """Whether the broker is registered with its controller and answers a metadata request."""
        return broker_answers(self.port)

    def _prepare(self) -> list[str]:
        java = find_java()
        class_path = ":".join(str(path) for path in fetch_jars(say=self._say))
        settings = self._write_settings()
        base = [
            str(java),
            "-XX:+UseSerialGC",
            "-XX:-UsePerfData",
            f"-Dlog4j2.configurationFile={self._logging}",
        ]
        if not (self.folder / "data" / "meta.properties").exists():
            # compiling well takes longer than the whole formatting
            self._format([*base, "-XX:TieredStopAtLevel=1", "-cp", class_path], settings)
        return [*base, f"-Xmx{self._heap_mb}m", "-cp", class_path, "kafka.Kafka", str(settings)]

    @property
    def _logging(self) -> Path:
        return self.folder / "log4j2.properties"

    def _write_settings(self) -> Path:
        free, controller_port = free_ports(2)
        self._port = self._port or free
        self._logging.write_text(LOGGING)
        settings = self.folder / "server.properties"
        settings.write_text(
            PROPERTIES.format(
                host=LOOPBACK, port=self._port, controller_port=controller_port, data=self.folder / "data"
            )
            + "".join(f"{name}={value}\n" for name, value in self._extra.items())
        )
        return settings

    def _format(self, java: list[str], settings: Path) -> None:
        done = subprocess.run(
            [
                *java,
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                self._cluster_id,
                "--config",
                str(settings),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise JobFailed(
                f"Kafka's storage in {self.folder} cannot be formatted: {done.stderr or done.stdout}"
            )


def new_cluster_id() -> str:
    """A random id for `EmbeddedKafka`."""
    # '-' may not come first in an argument that is an id
    return urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")


def broker_answers(port: int) -> bool:
    """Whether a broker on this loopback port answers a metadata request that lists at least one broker.

    A broker that still waits for the controller answers with an empty list, so this tells ready from merely
    listening.

    Source: Kafka protocol guide, Metadata request, version 4.
    """
    client = b"riskstream"
    header = struct.pack(">hhih", METADATA_REQUEST, METADATA_VERSION, 1, len(client)) + client
    body = header + struct.pack(">i?", 0, False)  # no topics asked for, none created
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
            connection.settimeout(5.0)
            connection.sendall(struct.pack(">i", len(body)) + body)
            answer = b""
            while len(answer) < 16:
                received = connection.recv(4096)
                if not received:
                    return False
                answer += received
    except OSError:
        return False
    brokers: int = struct.unpack(">i", answer[12:16])[0]  # after size, correlation id and throttle time
    return brokers >= 1
