"""The examination as a whole: what cannot be reached is one finding, and the rest goes on."""

import asyncio

from schemas.catalog import BrokenDeclaration, event_types
from schemas.topics import ACTIVATIONS, ALERTS, DEAD_LETTERS, LABELS, SCORES
from scoring import catalog
from scoring.features.spec import FeatureView
from scoring.scorer import Scorer
from scoring.store.contract import Partition, Record
from stream.broker import administration
from stream.bundle_library import BundleLibrary
from stream.doctor.broker import BrokerFacts, examine_broker, judge_broker
from stream.doctor.bundles import judge_bundles
from stream.doctor.clocks import examine_broker_clock, judge_clock
from stream.doctor.finding import Finding, fine, judged
from stream.doctor.progress import judge_progress
from stream.doctor.redis_server import RedisUnreachable, examine_redis, judge_redis
from stream.doctor.runtime import judge_runtime
from stream.doctor.topics import judge_topics
from stream.errors import JobFailed
from stream.inputs import input_topics, views_on
from stream.operator import newest, recorded_activations
from stream.settings import Settings
from stream.state_store import opened_store, redis_address

START = "start it (riskstream up), or correct the address in the settings"
Views = dict[str, list[FeatureView]]


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order of what depends on what."""
    findings = judge_runtime(settings)
    try:
        scorers = dict(catalog.selected(settings.scorers))
    except (BrokenDeclaration, catalog.UnknownScorer) as error:
        finding = fine("bundle", "catalogue", str(error), "declarations that load")
        return [*findings, judged("error", finding, do="correct the file or the setting named")]
    views_of = {topic: views_on(scorers, topic) for topic in input_topics(scorers)}
    facts, told = _broker(settings, views_of)
    findings += told
    findings += _redis(settings)
    redis_up = not any(finding.level == "error" and finding.area == "redis" for finding in findings)
    if facts is not None and ACTIVATIONS in facts.topics:
        findings.append(asyncio.run(examine_broker_clock(settings)))
    findings += _bundles(settings, scorers, activations=facts is not None and ACTIVATIONS in facts.topics)
    if facts is not None and redis_up:
        findings += _progress(settings, facts, views_of)
    return findings


def _broker(settings: Settings, views_of: Views) -> tuple[BrokerFacts | None, list[Finding]]:
    topics = [*event_types(), SCORES, ALERTS, DEAD_LETTERS, LABELS, ACTIVATIONS]
    try:
        with administration(settings) as admin:
            facts = examine_broker(
                admin, topics=topics, inputs=list(views_of), group=f"{settings.namespace}-workers"
            )
    except JobFailed as failed:
        text = str(failed).partition("; ")[0]
        finding = fine("broker", settings.kafka_bootstrap, text, "an answer")
        return None, [judged("error", finding, do=START)]
    told = judge_broker(facts, settings.kafka_bootstrap)
    return facts, told + judge_topics(facts.topics, views_of=views_of, brokers=facts.brokers)


def _redis(settings: Settings) -> list[Finding]:
    findings: list[Finding] = []
    try:
        for server in examine_redis(redis_address(settings)):
            findings += judge_redis(server, cluster=settings.redis_cluster)
            findings.append(judge_clock(f"redis {server.name}", server.clock, skew_ms=settings.skew_ms))
    except (RedisUnreachable, ValueError) as error:
        finding = fine("redis", settings.redis_url, str(error), "an answer")
        findings.append(judged("error", finding, do=START))
    return findings


def _bundles(settings: Settings, scorers: dict[str, Scorer], *, activations: bool) -> list[Finding]:
    library = BundleLibrary(settings.bundle_dirs)
    if not activations:
        return judge_bundles(scorers, library, recorded={}, desired={})
    try:
        log = asyncio.run(recorded_activations(settings))
    except JobFailed as failed:
        finding = fine("topic", ACTIVATIONS, str(failed), "readable")
        return [judged("error", finding, do="see the broker's log")]
    recorded = {name: newest(log, name) for name in scorers}
    return judge_bundles(scorers, library, recorded=recorded, desired=log.desired)


def _progress(settings: Settings, facts: BrokerFacts, views_of: Views) -> list[Finding]:
    try:
        records = asyncio.run(_records(settings, list(facts.ends)))
    except JobFailed as failed:
        finding = fine("redis", settings.redis_url, str(failed), "fit to keep state")
        return [judged("error", finding, do="see the findings on redis")]
    return judge_progress(facts, records, views_of=views_of, namespace=settings.namespace)


async def _records(settings: Settings, partitions: list[Partition]) -> dict[Partition, Record | None]:
    async with opened_store(settings) as store:
        found = await asyncio.gather(*(store.record(partition) for partition in partitions))
    return dict(zip(partitions, found, strict=True))
