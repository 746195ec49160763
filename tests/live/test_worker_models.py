"""Models that fail while events come: no number, no answer, no file; each event still has its one answer."""

import json
import time
from pathlib import Path

from scoring.catalog import scorers
from scoring.model.manifest import MODEL_FILE
from stream.services.embedded import EmbeddedServices
from stream.settings import Settings
from stream.worker.watchdog import HANGING_EXIT_CODE
from tests.live.conftest import MakeWorker
from tests.support.event_feed import KEYS, PAYMENTS, SCORERS, Feeder, payments
from tests.support.independent_reader import Reader, read_outcome
from tests.support.small_bundles import write_all, write_small_bundle
from tests.support.worker_process import WorkerProcess

ODD = 666.0
ENDED_WITHIN_S = 40.0


def wait_ended(worker: WorkerProcess) -> None:
    """It ends by itself."""
    deadline = time.monotonic() + ENDED_WITHIN_S
    while worker.running:
        assert time.monotonic() < deadline, worker.log()[-2_000:]
        time.sleep(0.05)


def test_no_number_no_answer_and_no_file_lose_nothing(
    services: EmbeddedServices, settings: Settings, make_worker: MakeWorker, tmp_path: Path
) -> None:
    """NaN becomes a dead letter of that scorer alone; who hangs is ended; a broken file is refused by its name."""
    bundles = write_all(tmp_path / "bundles")
    write_small_bundle(bundles, scorers()["payment_anomaly"], no_score_at=("amount", ODD))
    events = payments(600, seed=81)
    odd = events[10::40]
    for _, event in odd:
        event["amount"] = ODD
    feeder = Feeder(services.kafka_bootstrap)
    feeder.send(events[:300])
    worker = make_worker(bundle_dirs=bundles, poll_records=50, model_timeout_s=6)
    with Reader(services.kafka_bootstrap) as reader:
        worker.entry = "tests.torture.worker"
        worker.variables = {"TORTURE_POINT": "before_score", "TORTURE_COUNT": "3", "TORTURE_DO": "hang"}
        worker.start()
        wait_ended(worker)
        assert worker.exit_code == HANGING_EXIT_CODE
        assert "took longer than model_timeout_s" in worker.log()

        worker.variables = {}
        worker.start().wait_ready()
        model = bundles / "payment_anomaly" / MODEL_FILE
        good = model.read_bytes()
        model.write_bytes(good[: len(good) // 2])  # under load: what is loaded goes on
        for topic, event in events[300:]:
            feeder.send_raw(topic, event[KEYS[topic]].encode(), json.dumps(event).encode())
        feeder.flush()
        expected = len(events) * len(SCORERS[PAYMENTS])
        worker.wait_until(lambda: reader.terminals() >= expected, "everything has its answer")
        worker.kill()
        worker.start()
        wait_ended(worker)
        assert worker.exit_code == 1
        assert str(model) in worker.log()
        assert "SHA-256" in worker.log()
        model.write_bytes(good)
        assert worker.start().wait_ready().terminate() == 0
    outcome = read_outcome(services.kafka_bootstrap, [PAYMENTS])
    assert outcome.wrong_counts(SCORERS) == {}
    assert {(letter.body["reason"], letter.body["scorer"]) for letter in outcome.letters} == {
        ("BAD_SCORE", "payment_anomaly")
    }
    assert len(outcome.letters) == len(odd)
