"""Fetches the jars of the embedded Kafka once per user, by Maven coordinate, and checks their hashes."""

import fcntl
import hashlib
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stream.errors import JobFailed

LIST = Path(__file__).with_name("kafka_jars.txt")
MAIN = "org.apache.kafka:kafka_2.13"
DOWNLOADS_AT_ONCE = 6
ATTEMPTS = 3
TIMEOUT_SECONDS = 60

Say = Callable[[str], None]


@dataclass(frozen=True)
class Jar:
    """One line of the list: Maven coordinate `group:artifact:version` and the SHA-256 its file must have."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Name of the file in the cache, for example `kafka_2.13-4.3.1.jar`."""
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def listed_jars() -> tuple[Jar, ...]:
    """Every jar that the broker needs, as the project's list has it."""
    lines = (line.strip() for line in LIST.read_text().splitlines())
    return tuple(Jar(*line.split()) for line in lines if line and not line.startswith("#"))


def kafka_version() -> str:
    """Version of the embedded Kafka, for example `4.3.1`."""
    return next(
        jar.coordinate.rpartition(":")[2] for jar in listed_jars() if jar.coordinate.startswith(f"{MAIN}:")
    )


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Folder of this user that keeps the jars of this Kafka version."""
    environment = os.environ if environment is None else environment
    base = environment.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "riskstream" / f"kafka-{kafka_version()}"


def fetch_jars(
    jars: Sequence[Jar] | None = None, *, folder: Path | None = None, say: Say = lambda _: None
) -> tuple[Path, ...]:
    """Paths of all jars, hashes checked; those that are missing or damaged are downloaded first.

    Several processes may call this at once: one downloads, the others wait. A jar appears in the folder whole
    or not at all.

    Args:
        jars: what to fetch; the jars of the list when not given.
        folder: where the jars are kept; the cache of this user when not given.
        say: is told what goes on, in lines for people.

    Raises:
        JobFailed: a jar cannot be had, or what came has another hash.
    """
    folder = folder or cache_folder()
    jars = listed_jars() if jars is None else jars
    if any(not _is_good(folder / jar.file_name, jar) for jar in jars):
        folder.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock"), say=say):
            missing = [jar for jar in jars if not _is_good(folder / jar.file_name, jar)]
            _download_all(missing, folder, say=say)
    return tuple(folder / jar.file_name for jar in jars)


def _is_good(path: Path, jar: Jar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


@contextmanager
def _locked(path: Path, *, say: Say) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Kafka: another process is downloading the jars; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download_all(jars: list[Jar], folder: Path, *, say: Say) -> None:
    if not jars:
        return
    say(f"Kafka {kafka_version()}: downloading {len(jars)} jars, once (kept in {folder})")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="incoming-") as incoming:
        fetch = _fetcher(Path(incoming))
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            waiting = [pool.submit(_download, jar, fetch, folder) for jar in jars]
            try:
                for done, future in enumerate(as_completed(waiting), start=1):
                    future.result()
                    say(f"Kafka {kafka_version()}: {done} of {len(jars)} jars downloaded")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _fetcher(incoming: Path) -> Callable[[Jar], Path]:
    """A function that brings one jar into a folder; the Maven client knows the repository and its mirrors."""
    try:
        from jgo.config import GlobalSettings
        from jgo.constants import default_maven_repo
        from jgo.maven import MavenContext
    except ModuleNotFoundError:
        raise JobFailed(
            "the jars of the embedded Kafka are not in the cache, and the package that downloads them is "
            "missing; install it with: pip install 'riskstream[embedded]'"
        ) from None
    _trust_what_python_trusts()
    context = MavenContext(
        repo_cache=incoming,
        local_repos=[default_maven_repo()],
        remote_repos=GlobalSettings.load().repositories or None,
        timeout=TIMEOUT_SECONDS,
    )

    def fetch(jar: Jar) -> Path:
        group, artifact, version = jar.coordinate.split(":")
        found: Path = context.project(group, artifact).at_version(version).artifact().resolve()
        return found

    return fetch


def _trust_what_python_trusts() -> None:
    # the HTTP library of the client overlooks SSL_CERT_FILE and the authorities of the system, which know a
    # company's proxy
    authorities = ssl.get_default_verify_paths().cafile
    if authorities and not {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & set(os.environ):
        os.environ["REQUESTS_CA_BUNDLE"] = authorities


def _download(jar: Jar, fetch: Callable[[Jar], Path], folder: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            arrived = fetch(jar)
            break
        except (OSError, RuntimeError) as error:  # those of the network, and the client's own
            if attempt == ATTEMPTS:
                raise JobFailed(
                    f"{jar.coordinate}: cannot be downloaded: {error}; check the network and the proxy "
                    f"variables, or put {jar.file_name} into {folder}"
                ) from error
            time.sleep(attempt)
    content = arrived.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise JobFailed(
            f"{jar.coordinate}: the file from {arrived} has SHA-256 {found}, expected {jar.sha256}; "
            "do not use it: find out who changed it (a damaged mirror, a proxy)"
        )
    partial = folder / f".{jar.file_name}.{os.getpid()}"
    partial.write_bytes(content)
    partial.replace(folder / jar.file_name)
