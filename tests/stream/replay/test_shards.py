"""Replay on several cores: the very same scores as on one."""

from pathlib import Path

import polars as pl
import pytest

from benchmarks.payments import Payments
from scoring.catalog import scorers
from scoring.engine import InForce
from stream.bundle_library import BundleLibrary
from stream.replay.shards import Shards
from tests.support.small_bundles import write_all

EVENTS, CHUNK, ACCOUNTS = 6_000, 900, 300


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small ones for every scorer."""
    return write_all(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def payments() -> pl.DataFrame:
    """Payments with refused ones among them: some are sent twice, within a chunk and across."""
    frame = pl.concat(list(Payments(5, ACCOUNTS).frames(EVENTS)))
    return pl.concat([frame, frame[100:160], frame[5_900:]])


def replayed(payments: pl.DataFrame, bundles: Path, scorer_names: tuple[str, ...], shards: int) -> tuple[list, tuple]:
    """Frames of scores per scorer, and the counts."""
    wanted = [scorers()[name] for name in scorer_names]
    library = BundleLibrary((bundles,))
    in_force = [
        InForce(scorer=scorer, bundle=library.champion(scorer), policy=scorer.policy, live=not scorer.shadow)
        for scorer in wanted
    ]
    views = list({scorer.view.name: scorer.view for scorer in wanted}.values())
    with Shards(views, shards) as running:
        under_way = [
            running.begin(payments[start : start + CHUNK], in_force) for start in range(0, payments.height, CHUNK)
        ]
        frames = [pl.concat(chunk) for chunk in zip(*(each.frames() for each in under_way), strict=True)]
        names = ("events", "scores", "alerts", "dead_letters")
        counts = [sum(getattr(run, name) for run in running.runs) for name in names]
    return frames, (len(running.runs), *counts)


@pytest.mark.parametrize("shards", [2, 3, 7])
def test_the_number_of_cores_changes_no_byte(payments: pl.DataFrame, bundles: Path, shards: int) -> None:
    """Order of rows, cool-downs of accounts and refusals included."""
    names = ("payment_anomaly", "payment_attention")
    alone, (_, *expected) = replayed(payments, bundles, names, 1)
    shared, (count, *found) = replayed(payments, bundles, names, shards)
    assert count == shards
    assert found == expected
    assert expected[3] > 0
    assert expected[2] > 0
    for one, other in zip(alone, shared, strict=True):
        assert one.equals(other)


def test_a_scorer_over_two_entities_is_not_shared_out(payments: pl.DataFrame, bundles: Path) -> None:
    """An account's shard would lack the other accounts of its merchants."""
    frames, (count, *_) = replayed(payments, bundles, ("payment_anomaly", "payment_merchant"), 4)
    assert count == 1
    assert [frame.height > 0 for frame in frames] == [True, True]
