"""The commands people operate riskstream with, as processes, beside one worker that scores meanwhile."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scoring.catalog import scorers
from scoring.features.spec import DAY_MS
from scoring.model.manifest import MANIFEST_FILE, digest_of
from stream.bundle_library import BundleLibrary
from stream.services.embedded import EmbeddedServices
from stream.topics import ensure_topics
from tests.support.command_line import riskstream
from tests.support.event_feed import PAYMENTS, SCORERS, Feeder, Message, payments
from tests.support.independent_reader import Record, read_outcome, read_topic
from tests.support.log_fold import offsets_in
from tests.support.services import drop_all_topics, settings_for
from tests.support.small_bundles import write_all, write_small_bundle
from tests.support.worker_process import WorkerProcess

COUNT = 1_500
REFUSED_UNTIL_PAUSE = 1_000
SCORER = scorers()["payment_anomaly"]


class House:
    """A running worker, the commands beside it, and everything that was fed.

    Attributes:
        bundles: folder of the bundles that worker and commands find.
        fed: payments in the order they were sent.
    """

    def __init__(self, services: EmbeddedServices, folder: Path) -> None:
        self.bundles = write_all(folder / "bundles")
        self.bootstrap = services.kafka_bootstrap
        self.settings = settings_for(services, bundle_dirs=(self.bundles,))
        own = {"namespace": self.settings.namespace, "bundle_dirs": str(self.bundles)}
        self._named = {"kafka_bootstrap": self.bootstrap, "redis_url": services.redis_url, **own}
        self.worker = WorkerProcess(services, folder, **own)
        self.feeder = Feeder(self.bootstrap)
        self.fed: list[Message] = []

    def run(self, *arguments: str, exit_code: int = 0) -> Any:
        """What a command says with `--json`; its error text when it is to fail without any."""
        done = riskstream(*arguments, "--json", **self._named)
        assert done.returncode == exit_code, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    def feed(self, day: int) -> None:
        """Feeds payments of a day of their own and returns when all of them are scored and their states are committed."""
        messages = payments(COUNT, seed=day)
        for _, event in messages:
            event["occurred_at_ms"] += 2 * day * DAY_MS
        self.fed += messages
        self.feeder.send(messages)
        expected = len(self.fed) * len(SCORERS[PAYMENTS])
        # its own count first: reading all scores again and again would keep the worker from scoring
        counted = "riskstream_scores_total"
        self.worker.wait_until(
            lambda: self.worker.metrics().get(counted, 0) >= expected and len(self.scores()) >= expected,
            f"{expected} scores",
        )
        # scores are out before their states are stored; after a lost lease by as long as it takes to acquire anew
        records = len(read_topic(self.bootstrap, PAYMENTS))
        redis, namespace = self.settings.redis_url, self.settings.namespace
        self.worker.wait_until(
            lambda: sum(at for (topic, _), at in offsets_in(redis, namespace).items() if topic == PAYMENTS) >= records,
            f"states of {records} records",
        )

    def scores(self) -> list[Record]:
        """Every score there is, by partition and offset."""
        return read_topic(self.bootstrap, "risk-scores")

    def amounts(self, account: str, *, day: int | None = None) -> list[float]:
        """What was fed of an account in all or on one of the days, in order."""
        wanted = "p" if day is None else f"p{day}-"
        return [
            event["amount"]
            for _, event in self.fed
            if event["account_id"] == account and event["event_id"].startswith(wanted)
        ]

    def kept(self, account: str) -> list[float]:
        """What `state get` shows of an account, in order."""
        (found,) = self.run("state", "get", account)["found"]
        (view,) = found["views"]
        assert sum(view["contents"]["bytes_by_part"].values()) == view["packed_bytes"] < view["memory_bytes"]
        return [event["numbers"]["amount"] for event in view["contents"]["ring"]]


@pytest.fixture(scope="module")
def house(services: EmbeddedServices, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One worker for this file; no test needs another one to have run before."""
    asyncio.run(drop_all_topics(services))
    made = House(services, tmp_path_factory.mktemp("operating"))
    ensure_topics(made.settings)
    with made.worker:
        made.worker.wait_ready()
        made.feed(1)
        yield made


def test_doctor_finds_nothing_wrong_with_a_running_house_and_everything_with_none(house: House) -> None:
    """Only who says nothing without need is believed; what is not there is named with the command that starts it."""
    with ThreadPoolExecutor() as beside:
        away = beside.submit(
            riskstream,
            "doctor",
            "--json",
            kafka_bootstrap="127.0.0.1:1",
            redis_url="redis://127.0.0.1:1/0",
            bundle_dirs=str(house.bundles),
        )
        told = house.run("doctor")
    assert [one for one in told["findings"] if one["level"] != "ok"] == []
    assert told["good"]
    areas = {one["area"] for one in told["findings"]}
    assert areas == {"runtime", "broker", "topic", "redis", "clock", "bundle", "partition"}
    assert any(one["subject"] == "broker" for one in told["findings"] if one["area"] == "clock")

    assert away.result().returncode == 1
    findings = json.loads(away.result().stdout)["findings"]
    assert {one["area"] for one in findings if one["level"] == "error"} == {"broker", "redis"}
    assert all("riskstream up" in one["do"] for one in findings if one["level"] == "error")
    assert {one["level"] for one in findings if one["area"] == "bundle"} == {"ok"}


def test_explain_accounts_for_a_score_by_its_id_and_by_its_alert(house: House) -> None:
    """The question after every alert is why; after every missed one, why not."""
    bodies = [score.body for score in house.scores() if score.body["scorer"] == SCORER.name]
    loud = next(body for body in bodies if body["level"] == "alert" and "suppressed_by" not in body)
    told = house.run("explain", f"alert:{loud['score_id']}")
    assert {name: told["found"]["score"].get(name) for name in loud} == loud
    assert told["account"]["contributions"] == loud["contributions"]
    assert told["account"]["reasons"] == loud["reasons"]
    assert told["account"]["alert"] == f"alert:{loud['score_id']}"

    quiet = next(body for body in reversed(bodies) if body["level"] == "none" and not body.get("flags"))
    account = house.run("explain", quiet["score_id"])["account"]
    assert account["contributions_are"] == "computed"
    assert account["notes"] == []
    sent = next(event for _, event in house.fed if event["event_id"] == quiet["event_id"])
    assert account["features"]["amount"] == pytest.approx(sent["amount"], rel=1e-6)


def test_explain_finds_a_score_over_two_entities_wherever_it_lies(house: House) -> None:
    """It lies in the partition of the merchant, and its id names the partition of the account."""
    scores = [score for score in house.scores() if score.body["scorer"] == "payment_merchant"]
    away = next(score for score in scores if score.partition != score.source[1])
    account = house.run("explain", away.body["score_id"])["account"]
    assert account["features"]["merchant_count_1h"] >= 1
    assert account["features"]["count_1h"] >= 1


def test_explain_says_what_became_of_a_record_without_a_score(house: House) -> None:
    """Refused, not yet scored and mistyped look the same from outside."""
    house.feeder.send_raw(PAYMENTS, b"k", b"{broken", partition=0)
    house.feeder.flush()
    house.worker.wait_until(lambda: bool(read_topic(house.bootstrap, "dead-letters")), "a dead letter")
    letter = next(
        one for one in read_topic(house.bootstrap, "dead-letters") if one.body["reason"] == "BROKEN_JSON"
    )
    topic, partition, offset = letter.source
    error = house.run("explain", f"{SCORER.name}:{topic}:{partition}:{offset}:0011aabb", exit_code=1)
    assert "was refused" in error and "BROKEN_JSON" in error
    error = house.run("explain", f"{SCORER.name}:{topic}:{partition}:99999999:0011aabb", exit_code=1)
    assert "not scored yet" in error


def test_a_forgotten_entity_begins_anew_and_nobody_elses_score_is_lost(house: House) -> None:
    """The worker that holds the partition finds out by itself, and goes on without a gap."""
    gone, neighbour = "account-7", "account-8"
    forgotten = house.run("state", "forget", gone, "--topic", PAYMENTS, "--yes")
    assert forgotten["deleted"] == len(forgotten["keys"]) >= 1
    assert house.run("state", "get", gone, exit_code=1)["found"] == []

    house.feed(2)

    assert house.kept(gone) == pytest.approx(house.amounts(gone, day=2)[-SCORER.view.ring :])
    assert house.kept(neighbour) == pytest.approx(house.amounts(neighbour)[-SCORER.view.ring :])
    assert read_outcome(house.bootstrap, [PAYMENTS]).wrong_counts(SCORERS) == {}


def test_an_activated_bundle_scores_from_one_offset_on_in_every_partition(house: House) -> None:
    """A change of model while running: recorded from which event on, and never back and forth."""
    first = BundleLibrary([house.bundles]).champion_digest(SCORER)
    other = write_small_bundle(house.bundles / SCORER.name, SCORER, bias=-5.0)
    second = digest_of((other / MANIFEST_FILE).read_bytes())
    assert second in house.run("activate", SCORER.name, "0" * 16, exit_code=1)
    told = house.run("activate", SCORER.name, second)
    assert (told["bundle"], told["partitions"], told["partitions_to_change"]) == (second, 4, 4)

    house.feed(3)

    by_partition: dict[int, list[str]] = {}
    for score in house.scores():
        if score.body["scorer"] == SCORER.name:
            by_partition.setdefault(score.partition, []).append(score.body["bundle"])
    for digests in by_partition.values():
        assert digests == sorted(digests, key=[first, second].index)
        assert {digests[0], digests[-1]} == {first, second}
    assert house.run("activate", SCORER.name, second)["partitions_to_change"] == 0


def test_a_partition_paused_by_refusals_goes_on_when_resumed(house: House) -> None:
    """A sender gone wrong stops one partition until somebody has looked; that somebody needs one command."""
    for _ in range(REFUSED_UNTIL_PAUSE + 100):
        house.feeder.send_raw(PAYMENTS, b"k", b"{broken", partition=2)
    house.feeder.flush()
    house.worker.wait_until(lambda: not house.worker.ready()[0], "not ready")
    assert any("riskstream resume transactions 2" in problem for problem in house.worker.ready()[1])
    told = house.run("doctor", exit_code=1)
    errors = [one for one in told["findings"] if one["level"] == "error"]
    assert [(one["area"], one["subject"]) for one in errors] == [("partition", "transactions-2")]
    assert "riskstream resume transactions 2" in errors[0]["do"]

    assert house.run("resume", PAYMENTS, "2")["was_paused"]
    house.worker.wait_ready()
    assert "0 to 3" in house.run("resume", PAYMENTS, "9", exit_code=2)
    house.feed(4)
    assert read_outcome(house.bootstrap, [PAYMENTS]).wrong_counts(SCORERS) == {}
