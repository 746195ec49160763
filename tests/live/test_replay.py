"""Replay against what a real worker served: the same bytes from the topic and from the file, and the what-if."""

import json
from pathlib import Path

import polars as pl

from scoring.catalog import scorers
from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from tests.support.command_line import riskstream
from tests.support.event_feed import Feeder, payments, ticks
from tests.support.independent_reader import read_topic
from tests.support.small_bundles import write_all, write_small_bundle
from tests.support.worker_process import WorkerProcess

COUNT = 1_200


def replayed(settings: Settings, bundles: Path, *arguments: str) -> dict:
    """What `riskstream replay --json` says."""
    done = riskstream(
        "replay", *arguments, "--json", kafka_bootstrap=settings.kafka_bootstrap, redis_url=settings.redis_url,
        namespace=settings.namespace, bundle_dirs=str(bundles),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_topic_and_file_replay_to_the_very_scores_that_were_served(
    services: EmbeddedServices, settings: Settings, tmp_path: Path
) -> None:
    """Models and policies are tested on history: that is worth something only if history is reproduced exactly."""
    bundles = write_all(tmp_path / "bundles")
    bought, moved = payments(COUNT, seed=5), ticks(COUNT, seed=5)
    file = tmp_path / "payments.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for _, event in bought))
    with WorkerProcess(services, tmp_path, namespace=settings.namespace, bundle_dirs=bundles) as worker:
        worker.wait_ready()
        Feeder(services.kafka_bootstrap).send([*bought, *moved])
        worker.wait_until(
            lambda: len(read_topic(services.kafka_bootstrap, "risk-scores")) >= 5 * COUNT, "all scores"
        )

    from_topic = replayed(settings, bundles, "transactions", "--against", "risk-scores")
    assert (from_topic["verdict"], from_topic["events"], from_topic["scores"]) == ("identical", COUNT, 2 * COUNT)
    assert replayed(settings, bundles, "market-ticks", "--against", "risk-scores")["verdict"] == "identical"

    second_pass = replayed(settings, bundles, "transactions-by-merchant", "--against", "risk-scores")
    assert (second_pass["verdict"], second_pass["scores"]) == ("identical", 2 * COUNT)

    out = tmp_path / "scores.parquet"
    from_file = replayed(
        settings, bundles, str(file), "--scorer", "payment_anomaly", "--out", str(out), "--against", "risk-scores"
    )
    assert (from_file["verdict"], from_file["scores"]) == ("identical", COUNT)
    alerts = read_topic(services.kafka_bootstrap, "alerts")
    assert from_file["alerts"] == sum(alert.source[0] == "transactions" for alert in alerts) > 0
    assert pl.read_parquet(out).height == COUNT

    milder = write_small_bundle(tmp_path / "other", scorers()["payment_anomaly"], bias=-20.0)
    what_if = replayed(
        settings, bundles, str(file), "--scorer", "payment_anomaly", "--bundle", str(milder), "--against", str(out)
    )
    assert what_if["verdict"] == "different"
    assert what_if["difference"]["features_differ"] == 0
    assert what_if["difference"]["alerts_lost"] > 0
