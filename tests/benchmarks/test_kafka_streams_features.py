"""The Kafka Streams application that riskstream is compared with computes what the obvious agent computes."""

import json
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.competitors.kafka_streams.jdk import PACKAGE, Jdk, LeftOut, compile_class, find_jdk
from benchmarks.competitors.kafka_streams.libraries import fetch_libraries, library_jars
from benchmarks.competitors.obvious_features import DAY_MS, LONGEST_MS, obvious_features
from scoring.views.account_activity import VIEW
from stream.errors import JobFailed
from stream.services.jars import kafka_version, listed_jars

NEEDED = ("jackson-annotations", "jackson-core", "jackson-databind")
STEPS_MS = (0, 1_000, 600_000, 3_600_000, DAY_MS // 3, 2 * DAY_MS, -5_000)


@pytest.fixture(scope="module")
def jdk() -> Jdk:
    """The development kit of this machine."""
    try:
        return find_jdk()
    except LeftOut as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def command(jdk: Jdk, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What prints the features of payments by the application's own classes."""
    try:
        jars = fetch_libraries(*NEEDED)
    except JobFailed as reason:
        pytest.skip(str(reason))
    classes = tmp_path_factory.mktemp("classes")
    compile_class(jdk, "PrintFeatures", jars, classes)
    return [str(jdk.java), "-cp", ":".join(map(str, (classes, *jars))), f"{PACKAGE}.PrintFeatures"]


def payments(seed: int, count: int) -> list[dict[str, object]]:
    """Payments of one account: some late, some after a long silence, refunds, several currencies, missing fields."""
    chance = random.Random(seed)
    now = 1_700_000_000_000
    made = []
    for number in range(count):
        now += LONGEST_MS if number % 40 == 39 else chance.choice(STEPS_MS)
        payment = {
            "event_id": f"p{number:04}",
            "occurred_at_ms": now,
            "account_id": f"a{seed}",
            "amount": chance.choice((0.0, 25.0, round(chance.uniform(-30, 90), 2))),
            "currency": chance.choice(("EUR", "EUR", "GBP", None)),
            "merchant_id": chance.choice((f"m{chance.randrange(6)}", "größer", None)),
            "category": "groceries",
            "country": chance.choice(("DE", "FR", None)),
            "balance": chance.choice((round(chance.uniform(100, 1_000), 2), 0.0, None)),
        }
        left_out = {name for name in payment if payment[name] is None and chance.random() < 0.5}
        made.append({name: value for name, value in payment.items() if name not in left_out})
    return made


def expected_rows(given: list[dict[str, object]]) -> list[list[float]]:
    """The features of each payment by `obvious_features`, of the history that the Faust agent would have in Redis."""
    past: list[dict[str, object]] = []
    rows = []
    for payment in given:
        now = int(str(payment["occurred_at_ms"]))
        past = [one for one in past if int(str(one["occurred_at_ms"])) > now - LONGEST_MS]
        with np.errstate(all="raise"):
            found = obvious_features(payment, past)
        rows.append([found[name] for name in VIEW.feature_names])
        past = sorted([*past, payment], key=lambda one: int(str(one["occurred_at_ms"])))
    return rows


def test_the_java_features_are_those_of_the_obvious_agent(command: list[str]) -> None:
    """A competitor that computes something else, or less, would be no measure."""
    given = [payments(seed, 100) for seed in range(5)]
    lines = "".join(json.dumps(payment) + "\n" for some in given for payment in some)
    done = subprocess.run(
        [*command, *VIEW.feature_names], input=lines, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = np.array([line.split() for line in done.stdout.splitlines()], float)
    expected = np.array([row for some in given for row in expected_rows(some)])
    assert found.shape == expected.shape == (500, len(VIEW.feature_names))
    close = np.isclose(found, expected, rtol=1e-6, atol=1e-6, equal_nan=True)
    assert close.all(), [
        (int(row), VIEW.feature_names[place], found[row, place], expected[row, place])
        for row, place in np.argwhere(~close)[:10]
    ]
    assert (np.isfinite(found).sum(axis=0) > 0).all(), "a feature that is never there is not compared"


def test_the_application_runs_the_libraries_of_the_embedded_kafka() -> None:
    """A list that stayed behind when Kafka moved on would compare two versions."""
    coordinates = {jar.coordinate for jar in library_jars()}
    assert f"org.apache.kafka:kafka-streams:{kafka_version()}" in coordinates
    hashes = {jar.coordinate: jar.sha256 for jar in listed_jars()}
    both = [jar for jar in library_jars() if jar.coordinate in hashes]
    assert both
    assert all(jar.sha256 == hashes[jar.coordinate] for jar in both)


def test_without_a_kit_the_application_says_what_to_set(tmp_path: Path) -> None:
    """The benchmark leaves it out by this line, and whoever reads it knows what to do."""
    with pytest.raises(LeftOut, match=r"no JDK \(javac\) found; set JAVA_HOME"):
        find_jdk({"PATH": str(tmp_path)})
