"""The jars of the application: listed with their hashes, kept beside those of the embedded Kafka.

`python -m benchmarks.competitors.kafka_streams.libraries` prints the list anew, for another version of Kafka or of the
runtime; compare it with `jars.txt` before replacing that.
"""

import hashlib
import tempfile
from pathlib import Path

from stream.services.jars import Jar, Say, fetch_jars, kafka_version

LIST = Path(__file__).with_name("jars.txt")
ONNXRUNTIME = "com.microsoft.onnxruntime:onnxruntime:1.29.0"
LOGGING = "org.slf4j:slf4j-simple"
LOGGING_INTERFACE = "slf4j-api"
HEADER = f"""\
# Jars of the Kafka Streams application of the benchmark: Maven coordinate and SHA-256 of the file, one jar a line.
# The runtime dependencies of org.apache.kafka:kafka-streams in the version of the embedded Kafka, a logging binding,
# and {ONNXRUNTIME}, the newest that there is for Java.
# Made by `python -m benchmarks.competitors.kafka_streams.libraries`.
"""


def library_jars() -> tuple[Jar, ...]:
    """All jars of the list."""
    lines = (line.strip() for line in LIST.read_text().splitlines())
    return tuple(Jar(*line.split()) for line in lines if line and not line.startswith("#"))


def fetch_libraries(*artifacts: str, say: Say = lambda _: None) -> tuple[Path, ...]:
    """Paths of the jars of these artifacts, of all when none is named; downloaded once per user.

    Raises:
        JobFailed: a jar cannot be had, or what came has another hash.
    """
    wanted = [jar for jar in library_jars() if not artifacts or jar.coordinate.split(":")[1] in artifacts]
    return fetch_jars(wanted, say=say)


def list_libraries() -> list[Jar]:
    """The jars in order of their coordinates, with the hashes of what was downloaded now.

    Raises:
        RuntimeError: the repository has no such version.
    """
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as incoming:
        context = MavenContext(repo_cache=Path(incoming))
        pom = context.project("org.apache.kafka", "kafka-streams").at_version(kafka_version()).pom()
        needed = [node.dep for node in context.pom_dependency_list(pom)[1]]
        interface = next(one.version for one in needed if one.artifactId == LOGGING_INTERFACE)
        coordinates = [f"{one.groupId}:{one.artifactId}:{one.version}" for one in needed]
        coordinates += [
            f"org.apache.kafka:kafka-streams:{kafka_version()}",
            f"{LOGGING}:{interface}",
            ONNXRUNTIME,
        ]
        found = []
        for coordinate in sorted(coordinates):
            group, artifact, version = coordinate.split(":")
            file = context.project(group, artifact).at_version(version).artifact().resolve()
            found.append(Jar(coordinate, hashlib.sha256(file.read_bytes()).hexdigest()))
        return found


if __name__ == "__main__":
    print(HEADER, end="")
    for jar in list_libraries():
        print(jar.coordinate, jar.sha256)
