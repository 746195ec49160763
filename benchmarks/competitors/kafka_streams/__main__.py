"""Compiles the application, then becomes it; run as the benchmark runs faust_per_event, with the same variables.

One payment after the other by the Processor API: JSON by Jackson, the account's payments of 30 days from a key-value
store (RocksDB with cache and changelog) and this one into it, the features, the very model that riskstream runs, and
5 ms of linger; else as Kafka Streams is shipped, at least once. It is spared what the Faust agent is spared, and keeps
its histories as packed fields instead of JSON. A JVM compiles its code while it runs: on two cores it reaches its
speed after 15 to 20 seconds.

Redis is not used, and `BENCH_FEATURES` is not looked at: the features are always all. Two more variables may be given:
`BENCH_THREADS`, stream threads, 1 unless told otherwise; `BENCH_GROUP`, the application id, which processes that share
the partitions must have in common. Where the application cannot be run, what is said on standard error ends with the
line "left out: " and the reason, and the exit code is `LEFT_OUT`. The process that was started becomes the JVM, so
that whoever measures its CPU and memory measures the application's.
"""

import os
import sys
from pathlib import Path

from benchmarks.competitors.kafka_streams.jdk import PACKAGE, LeftOut, compile_class, find_jdk
from benchmarks.competitors.kafka_streams.libraries import fetch_libraries
from stream.errors import JobFailed

LEFT_OUT = 3
HEAP_MB = 512


def java_command(folder: Path) -> list[str]:
    """The command that runs the application, which is compiled now.

    Args:
        folder: for the compiled classes, and for the native libraries that the jars unpack.

    Raises:
        LeftOut: there is no JDK.
        JobFailed: a library cannot be downloaded.
        DoesNotCompile: a source is wrong.
    """
    jdk = find_jdk()
    jars = fetch_libraries(say=lambda text: print(text, file=sys.stderr))
    compile_class(jdk, "Main", jars, folder / "classes")
    class_path = os.pathsep.join(map(str, (folder / "classes", *jars)))
    return [
        str(jdk.java), f"-Xmx{HEAP_MB}m", f"-Djava.io.tmpdir={folder}", "--enable-native-access=ALL-UNNAMED",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path, f"{PACKAGE}.Main",
    ]  # fmt: skip


def main() -> None:
    """Becomes the JVM, or ends with `LEFT_OUT`."""
    try:
        command = java_command(Path(os.environ["BENCH_FOLDER"]))
    except (LeftOut, JobFailed) as reason:
        print(f"left out: {reason}", file=sys.stderr)
        raise SystemExit(LEFT_OUT) from None
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
