"""Jars are fetched once, whole, and only if their hash is the one that the project knows."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stream.errors import JobFailed
from stream.services.jars import Jar, cache_folder, fetch_jars, kafka_version, listed_jars

CONTENT = b"what a jar holds"


@pytest.fixture
def jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jar:
    """A jar that the Maven client finds in a repository on disk, so that no test asks the network."""
    repository = tmp_path / "repository"
    file = repository / "org" / "example" / "thing" / "1.0" / "thing-1.0.jar"
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    monkeypatch.setenv("M2_REPO", str(repository))
    return Jar("org.example:thing:1.0", hashlib.sha256(CONTENT).hexdigest())


def test_every_listed_jar_has_a_coordinate_and_a_hash() -> None:
    """A line without a hash would let anything in."""
    jars = listed_jars()
    assert len(jars) > 30
    assert all(jar.coordinate.count(":") == 2 and len(jar.sha256) == 64 for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars)


def test_cache_is_the_users_and_of_one_version() -> None:
    """Another version of Kafka never mixes with the jars of this one."""
    assert cache_folder({"XDG_CACHE_HOME": "/c"}) == Path(f"/c/riskstream/kafka-{kafka_version()}")


def test_missing_jar_is_fetched_and_then_kept(
    jar: Jar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the first start needs the network."""
    (path,) = fetch_jars([jar], folder=tmp_path / "cache")
    assert path.read_bytes() == CONTENT
    monkeypatch.setenv("M2_REPO", str(tmp_path / "gone"))
    said: list[str] = []
    assert fetch_jars([jar], folder=tmp_path / "cache", say=said.append) == (path,)
    assert not said


def test_damaged_jar_in_the_cache_is_replaced(jar: Jar, tmp_path: Path) -> None:
    """A full disk or a killed copy must not leave a broker that fails in strange ways."""
    (path,) = fetch_jars([jar], folder=tmp_path / "cache")
    path.write_bytes(b"half")
    fetch_jars([jar], folder=tmp_path / "cache")
    assert path.read_bytes() == CONTENT


def test_jar_with_another_hash_is_refused_and_not_kept(jar: Jar, tmp_path: Path) -> None:
    """Code that nobody here has seen is never run; the text names the jar and both hashes."""
    known = Jar(jar.coordinate, "0" * 64)
    with pytest.raises(JobFailed, match=f"org.example:thing:1.0: .*{jar.sha256}, expected {'0' * 64}"):
        fetch_jars([known], folder=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())


def test_callers_at_the_same_time_all_get_the_jar(jar: Jar, tmp_path: Path) -> None:
    """Two test workers or two demos on a new machine start together."""
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: fetch_jars([jar], folder=tmp_path / "cache"), range(8)))
    assert paths == {(tmp_path / "cache" / "thing-1.0.jar",)}
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["thing-1.0.jar"]
