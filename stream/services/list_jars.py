"""Writes the list of jars for a version of Kafka: `python -m stream.services.list_jars 4.3.1 2.25.4`.

Run by hand when moving to another version; its output replaces `kafka_jars.txt`. The second argument is the
version of the logging binding, which must be that of `log4j-core` in the output. The hashes are of what the
repository serves today: compare the list with the last one, and run the live tests, before committing it.
"""

import hashlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jgo.maven import MavenContext

from stream.services.jars import DOWNLOADS_AT_ONCE, MAIN, Jar

# only command-line tools and validators that a broker does not use refer to these
LEFT_OUT = {
    "commons-beanutils",
    "commons-collections",
    "commons-digester",
    "jackson-dataformat-csv",
    "jackson-datatype-jdk8",
    "scala-reflect",
}
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl"
HEADER = """\
# Jars of the embedded Kafka: Maven coordinate and SHA-256 of the file, one jar a line.
# The runtime dependencies of org.apache.kafka:kafka_2.13 less what only tools use, and a logging binding.
# Made by `python -m stream.services.list_jars`.
"""


def list_jars(kafka_version: str, logging_version: str) -> list[Jar]:
    """The broker's jars in order of their coordinates, with the hashes of what was downloaded now.

    Raises:
        RuntimeError: the repository has no such version.
    """
    with tempfile.TemporaryDirectory() as incoming:
        context = MavenContext(repo_cache=Path(incoming))

        def hashed(coordinate: str) -> Jar:
            group, artifact, version = coordinate.split(":")
            file = context.project(group, artifact).at_version(version).artifact().resolve()
            return Jar(coordinate, hashlib.sha256(file.read_bytes()).hexdigest())

        group, artifact = MAIN.split(":")
        pom = context.project(group, artifact).at_version(kafka_version).pom()
        needed = [node.dep for node in context.pom_dependency_list(pom)[1]]
        coordinates = [
            f"{one.groupId}:{one.artifactId}:{one.version}"
            for one in needed
            if one.artifactId not in LEFT_OUT
        ]
        coordinates += [f"{MAIN}:{kafka_version}", f"{LOGGING}:{logging_version}"]
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            return list(pool.map(hashed, sorted(coordinates)))


if __name__ == "__main__":
    print(HEADER, end="")
    for jar in list_jars(*sys.argv[1:3]):
        print(jar.coordinate, jar.sha256)
