"""A whole benchmark run: services, backlog, alternated runs, limits, latencies, files, state."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.broker import Broker
from benchmarks.comparison import Reference
from benchmarks.contestants import CONTESTANTS, SCORER, SHADOW_SCORER, Contestant
from benchmarks.interpreters import installed_version, interpreter_of, package_of, why_left_out
from benchmarks.latency import after_warm_up, make_producer, measure_latency, wait_until_scoring
from benchmarks.limits.run import Servers, measure_limits
from benchmarks.loading import load_backlog, write_file
from benchmarks.machine import all_versions, machine
from benchmarks.offline import feed_rate, replay_rate
from benchmarks.payments import Payments
from benchmarks.pipelines import Pipeline
from benchmarks.plan import BUNDLES, Plan
from benchmarks.results import PipelineResult, Results
from benchmarks.state_size import measure_state
from benchmarks.throughput import measure, median, summarise
from schemas.events.transaction import EVENT
from schemas.topics import ALERTS, DEAD_LETTERS
from scoring.catalog import scorers
from scoring.model.errors import RefusedBundle
from stream.bundle_library import BundleLibrary
from stream.errors import JobFailed
from stream.services.embedded import EmbeddedServices
from stream.settings import load

Say = Callable[[str], None]
RATE_STEP = 50
OWN_WORKER = "riskstream"
"""Limits, replay, feed and state are measured where this one is."""

OWN = "trained on the benchmark's population"


def run(plan: Plan, cards: Path, say: Say) -> Results:
    """Measures everything in the plan on embedded services of its own.

    Args:
        cards: the development cards; the state is not measured when they are not there.
        say: is told what goes on.

    Raises:
        BenchmarkFailed: a pipeline did not do its work.
        JobFailed: the services cannot be started.
    """
    measured_on = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        home = Path(folder)
        bundle_dirs, bundles = find_bundles(home)
        present, left_out = take_stock(plan.pipelines, os.environ)
        for name, why in left_out.items():
            say(f"{name} left out: {why}")
        say("starting Kafka and Redis")
        with EmbeddedServices(home / "services") as services:
            settings = load(
                {}, kafka_bootstrap=services.kafka_bootstrap, redis_url=services.redis_url, bundle_dirs=bundle_dirs,
                data_dir=home / "services",
            )  # fmt: skip
            results = Results(
                plan=plan, settings=settings, machine=measured_on,
                versions=all_versions(services.redis_url) | versions_of(present, os.environ),
                bundles=bundles, features=len(scorers()[SCORER].view.feature_names),
                pipelines={name: PipelineResult() for name in present}, left_out=left_out,
            )  # fmt: skip
            with Broker(settings, plan.partitions) as broker:
                run_throughput(results, broker, say)
                if OWN_WORKER in present:
                    servers = Servers(settings, (services.kafka.pid, services.redis.pid))
                    results.limits = measure_limits(servers, plan, say)
                run_latency(results, broker, say)
                if OWN_WORKER in present:
                    run_offline(results, broker, home, say)
            if OWN_WORKER in present and cards.is_file():
                say(f"state of the accounts of {cards.name}")
                results.state = measure_state(services.redis_url, cards)
    return results


def take_stock(
    names: Sequence[str], environment: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The pipelines that can be run, and why each of the others cannot."""
    whys = {name: why_left_out(CONTESTANTS[name], environment) for name in names}
    left_out = {name: why for name, why in whys.items() if why is not None}
    return tuple(name for name in names if name not in left_out), left_out


def versions_of(names: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Versions of the optional packages, where they are used."""
    needing = [CONTESTANTS[name] for name in names if CONTESTANTS[name].needs]
    found = {
        package: installed_version(package, interpreter_of(entry, environment))
        for entry in needing
        for package in (package_of(entry.needs),)
    }
    return {package: version for package, version in found.items() if version}


def find_bundles(folder: Path) -> tuple[tuple[Path, ...], str]:
    """Folders of bundles beside the shipped ones, and in words which bundles are run.

    `benchmarks.train_bundles` says why the benchmark has bundles of its own. Where none fits the view, small ones
    made by the tests' own code stand in.
    """
    library = BundleLibrary((BUNDLES,))
    try:
        bundle = library.champion(scorers()[SCORER])
        shadow = library.champion(scorers()[SHADOW_SCORER])
    except (JobFailed, RefusedBundle) as error:
        from tests.support.small_bundles import write_all

        return (
            write_all(folder / "bundles"),
        ), f"stand-ins of the tests, one feature and no network, because: {error}"
    told = [
        f"{name}@{made.digest} ({OWN if BUNDLES in made.folder.parents else 'shipped'})"
        for name, made in ((SCORER, bundle), (SHADOW_SCORER, shadow))
    ]
    return (BUNDLES,), ", ".join(told)


def run_throughput(results: Results, broker: Broker, say: Say) -> None:
    """Alternated runs of every pipeline over the same backlog."""
    plan, settings = results.plan, results.settings
    broker.reset()
    say(f"loading {plan.backlog:,} payments")
    results.record_bytes_in = load_backlog(
        settings, Payments(plan.seed, plan.accounts).frames(plan.backlog)
    )
    reference = Reference(plan, BundleLibrary(settings.bundle_dirs))
    for repetition in range(plan.repetitions):
        for name, result in results.pipelines.items():
            broker.reset(keep=(EVENT.topic,))
            contestant = CONTESTANTS[name]
            with Pipeline(contestant, settings, plan.partitions) as pipeline:
                samples = measure(
                    pipeline, broker, backlog=plan.backlog, seconds=plan.seconds, warm_up_s=contestant.warm_up_s
                )
                run = summarise(samples)
                result.runs.append(run)
                say(f"{name} {repetition + 1}/{plan.repetitions}: {run.events_per_second:,.0f} events/s")
            result.record = broker.shape(pipeline.output)
            if not contestant.unlike:
                result.compared = reference.compare(broker, pipeline.output)
            result.alerts, result.dead_letters = broker.count(ALERTS), broker.count(DEAD_LETTERS)


def run_latency(results: Results, broker: Broker, say: Say) -> None:
    """Latency of every pipeline at its rates, one process for all rates of a pipeline."""
    plan, settings = results.plan, results.settings
    payments = Payments(plan.seed, plan.accounts)
    for name, result in results.pipelines.items():
        broker.reset()
        producer = make_producer(settings)
        contestant = CONTESTANTS[name]
        with Pipeline(contestant, settings, plan.partitions) as pipeline:
            pipeline.wait_ready()
            wait_until_scoring(pipeline, broker, producer)
            for rate in after_warm_up(
                rates_of(contestant, result, plan),
                seconds=plan.latency_seconds, warm_up_seconds=plan.latency_warm_up_seconds,
            ):  # fmt: skip
                latency = measure_latency(
                    settings, pipeline, producer, payments, rate, partitions=plan.partitions,
                    settle_seconds=plan.latency_settle_seconds,
                )  # fmt: skip
                if rate.warms_up:
                    continue
                result.latencies.append(latency)
                say(
                    f"{name} at {rate.events_per_second:,}/s: p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms"
                )


def rates_of(contestant: Contestant, result: PipelineResult, plan: Plan) -> tuple[int, ...]:
    """Rates at which a pipeline's latency is measured: for a competitor those that it can bear, or one that it can."""
    if contestant.own:
        return plan.latency_rates
    bearable = plan.bearable_share * median(result.runs).events_per_second
    borne = tuple(rate for rate in plan.latency_rates if rate <= bearable)
    return borne or (max(RATE_STEP, int(bearable / RATE_STEP) * RATE_STEP),)


def run_offline(results: Results, broker: Broker, folder: Path, say: Say) -> None:
    """Replay and feed of one file."""
    plan = results.plan
    file = write_file(Payments(plan.seed, plan.accounts), plan.offline_events, folder / "payments.parquet")
    results.replay = replay_rate(results.settings, file)
    say(f"replay: {results.replay.events_per_second:,.0f} events/s")
    broker.reset()
    results.feed = feed_rate(results.settings, file)
    say(f"feed: {results.feed.events_per_second:,.0f} events/s")
