"""The doctor's judgement of topics: each promise that a topic can break is an error with the command that mends it."""

import dataclasses

import pytest

from schemas.topics import ACTIVATIONS, ALERTS, DEAD_LETTERS, LABELS, SCORES
from scoring.features.spec import DAY_MS, FeatureView, Lifetime
from scoring.views.account_activity import VIEW
from stream.doctor.broker import TopicFacts
from stream.doctor.topics import judge_topics, retention_needed_ms

GOOD = {
    "message.timestamp.type": "LogAppendTime",
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "min.insync.replicas": "1",
    "max.message.bytes": "1048588",
}


def topic(
    partitions: int = 4, *, replicas: int = 1, in_sync: int | None = None, **configs: str
) -> TopicFacts:
    named = {name.replace("_", "."): value for name, value in configs.items()}
    return TopicFacts(
        replicas=(replicas,) * partitions,
        in_sync=(replicas if in_sync is None else in_sync,) * partitions,
        configs=GOOD | named,
    )


def topics(**changed: TopicFacts) -> dict[str, TopicFacts]:
    usual = dict.fromkeys(("transactions", SCORES, ALERTS, DEAD_LETTERS, LABELS), topic())
    usual[ACTIVATIONS] = topic(1, cleanup_policy="compact")
    return usual | {name.replace("_", "-"): facts for name, facts in changed.items()}


def wrong(given: dict[str, TopicFacts], *, brokers: int = 1) -> list[tuple[str, str, str]]:
    """Level, topic and remedy of every finding that is not good."""
    findings = judge_topics(given, views_of={"transactions": [VIEW]}, brokers=brokers)
    return [(one.level, one.subject, one.do) for one in findings if one.level != "ok"]


def test_topics_as_riskstream_makes_them_are_good() -> None:
    """A doctor that finds something wrong with a fresh installation is not believed."""
    assert wrong(topics()) == []


@pytest.mark.parametrize(
    ("given", "level", "subject", "remedy"),
    [
        (topics(transactions=topic(message_timestamp_type="CreateTime")), "error", "transactions", "LogAppendTime"),
        (topics(activations=topic(1)), "error", ACTIVATIONS, "cleanup.policy=compact"),
        (topics(activations=topic(1, cleanup_policy="compact,delete")), "error", ACTIVATIONS, "compact"),
        (topics(activations=topic(3, cleanup_policy="compact")), "error", ACTIVATIONS, "delete it"),
        (topics(risk_scores=topic(2)), "error", SCORES, "--partitions 4"),
        (topics(alerts=topic(max_message_bytes="1000")), "error", ALERTS, "max.message.bytes"),
        (topics(transactions=topic(retention_ms=str(DAY_MS))), "error", "transactions", "retention.ms"),
        (topics(transactions=topic(retention_ms=str(30 * DAY_MS))), "warning", "transactions", "retention.ms"),
        (topics(transactions=topic(retention_bytes="1000")), "warning", "transactions", "retention.bytes=-1"),
        (topics(risk_scores=topic(retention_ms=str(DAY_MS))), "warning", SCORES, "retention.ms=-1"),
        (topics(alerts=topic(replicas=3, in_sync=0)), "error", ALERTS, "brokers back"),
        (topics(alerts=topic(replicas=3, in_sync=2)), "warning", ALERTS, "brokers back"),
    ],
)  # fmt: skip
def test_each_broken_promise_is_found_with_its_remedy(given, level, subject, remedy) -> None:
    """The remedy is a command: whoever reads it at night should not have to look anything up."""
    found = wrong(given)
    assert [(one[0], one[1]) for one in found] == [(level, subject)]
    assert remedy in found[0][2]


def test_missing_topics_are_made_by_one_command() -> None:
    """On a broker of one's own the topics are the first thing that is not there."""
    given = topics()
    del given["transactions"], given[LABELS]
    assert wrong(given) == [
        ("error", "transactions", "riskstream topics create"),
        ("warning", LABELS, "riskstream topics create"),
    ]


def test_one_replica_is_a_warning_only_where_there_could_be_two() -> None:
    """On a laptop it is all there is; in a cluster it loses records with one disk."""
    assert wrong(topics()) == []
    assert {one[0] for one in wrong(topics(), brokers=3)} == {"warning"}


def test_retention_covers_three_horizons_with_grace_and_an_outage() -> None:
    """A log shorter than that cannot rebuild what Redis lost."""
    assert retention_needed_ms([VIEW]) == 3 * (VIEW.horizon_ms + VIEW.grace_ms) + 7 * DAY_MS
    needed = retention_needed_ms([VIEW])
    assert wrong(topics(transactions=topic(retention_ms=str(needed)), **_outputs_kept(needed))) == []
    assert wrong(topics(transactions=topic(retention_ms=str(needed - 1)), **_outputs_kept(needed))) != []


@pytest.mark.parametrize(
    ("configs", "level"),
    [
        ({"retention_ms": str(800 * DAY_MS)}, "warning"),
        ({"retention_ms": str(736 * DAY_MS)}, "error"),
        ({"retention_bytes": "1000"}, "warning"),
    ],
)
def test_lives_that_are_counted_need_a_log_without_an_end(configs, level) -> None:
    """A rebuild from a shorter log would make new customers of old ones, and nothing else would say so."""
    counting = dataclasses.replace(
        VIEW, features=(*VIEW.features, Lifetime("count")), active_within="730d", name="account_lives"
    )

    def lives(given: dict[str, TopicFacts], view: FeatureView) -> list[tuple[str, str]]:
        findings = judge_topics(given, views_of={"transactions": iter([view])}, brokers=1)
        return [(one.level, one.do) for one in findings if "account_lives" in one.expected]

    assert lives(topics(), counting) == [("ok", "")]
    [(found, do)] = lives(topics(transactions=topic(**configs)), counting)
    assert found == level
    assert f"{next(iter(configs)).replace('_', '.')}=-1" in do
    assert lives(topics(transactions=topic(**configs)), VIEW) == []


def _outputs_kept(milliseconds: int) -> dict[str, TopicFacts]:
    kept = dataclasses.replace(topic(), configs=GOOD | {"retention.ms": str(milliseconds)})
    return dict.fromkeys((SCORES, ALERTS, DEAD_LETTERS), kept)
