"""Killed with -9 wherever it stands, a worker loses nothing, scores nothing twice, and leaves the state of the log."""

import random
from collections.abc import Sequence

from tests.live.conftest import MakeWorker
from tests.support.event_feed import PAYMENTS, TICKS, Feeder, mixed, outputs_of
from tests.support.independent_reader import Reader, Record, read_outcome
from tests.support.log_fold import hold_writes, offsets_in, place_of
from tests.support.promises import check_against_log

INTERNAL = "transactions-by-merchant"
SECOND_PASS = {"payment_fraud", "payment_merchant"}
MOST_EVENTS = 60_000
PER_SECOND = 500.0
KILLS = 2
STOPS = 3
BACKLOG = 40_000
# many small polls and a cache that forgets: most kills hit between produce and commit, most states are read again
SMALL_STEPS = {"poll_records": 60, "cache_entities": 20}


def test_killed_at_random_moments_nothing_is_missing_or_twice(
    services, settings, make_worker: MakeWorker
) -> None:
    """DESIGN section 6 in one run: outputs and state are those of a run that was never interrupted."""
    chance = random.Random(11)
    worker, feeder = make_worker(**SMALL_STEPS), Feeder(services.kafka_bootstrap)
    cut_short = []
    with Reader(services.kafka_bootstrap) as reader:
        with feeder.sending(mixed(MOST_EVENTS, seed=11), per_second=PER_SECOND) as sent:
            for _ in range(KILLS):
                at = reader.terminals() + chance.randrange(50, 1_500)
                worker.start()
                worker.wait_until(lambda at=at: reader.terminals() >= at, f"{at} outputs")
                worker.kill()
                cut_short.append(reader.terminals())
            left_by_the_killed = {score.place for score in reader.read("risk-scores")}
            worker.start()
            worker.wait_until(lambda: reader.terminals() >= cut_short[-1] + 500, "it goes on")
            assert worker.terminate() == 0
            cut_short.append(reader.terminals())
            drained = [score for score in reader.read("risk-scores") if score.place not in left_by_the_killed]
            drained_from = read_at(drained, reader.read(INTERNAL))
            committed = offsets_in(services.redis_url, settings.namespace)
        worker.start()
        expected = outputs_of(sent)
        worker.wait_until(lambda: reader.terminals() >= expected, "everything is scored")
        assert worker.wait_ready().terminate() == 0
    # what was told to stop has committed all that it wrote: the next one scores nothing again
    assert [place for place in drained_from if place[2] >= committed[place[:2]]] == []
    assert all(0 < count < expected for count in cut_short)
    outcome = read_outcome(services.kafka_bootstrap, (PAYMENTS, TICKS))
    assert len(outcome.inputs) == len(sent)
    check_against_log(outcome, settings.namespace, services.redis_url)


def test_told_to_stop_in_the_middle_of_a_backlog_it_has_committed_all_that_it_wrote(
    services, settings, make_worker: MakeWorker
) -> None:
    """SIGTERM while more waits to be read and Redis is slow: not one score is left for the next worker to find."""
    worker, backlog = make_worker(**SMALL_STEPS), mixed(BACKLOG, seed=12)
    Feeder(services.kafka_bootstrap).send(backlog)
    with Reader(services.kafka_bootstrap) as reader:
        for _ in range(STOPS):
            at = reader.terminals() + 500
            worker.start()
            worker.wait_until(lambda at=at: reader.terminals() >= at, f"{at} outputs")
            hold_writes(services.redis_url, for_ms=400)  # the last commit takes its time
            assert worker.terminate() == 0
            committed = offsets_in(services.redis_url, settings.namespace)
            written = reader.read("risk-scores")
            assert reader.terminals() < outputs_of(backlog), "all was scored before the worker was stopped"
            written_from = read_at(written, reader.read(INTERNAL))
            assert [place for place in written_from if place[2] >= committed[place[:2]]] == []


def read_at(scores: Sequence[Record], passed_on: Sequence[Record]) -> list[tuple[str, int, int]]:
    """Where the worker read what each score is about: the second pass may score what a killed first pass wrote."""
    second = {place_of(record): record.place for record in passed_on}
    return [second[score.source] if score.body["scorer"] in SECOND_PASS else score.source for score in scores]
