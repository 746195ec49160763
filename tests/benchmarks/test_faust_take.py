"""Batches of the Faust competitor hold what one event at a time would give."""

import json
from typing import Any

from benchmarks.competitors.faust_take import exchange, fold
from benchmarks.competitors.obvious_features import LONGEST_MS, Payment
from benchmarks.competitors.obvious_scoring import ObviousScoring
from benchmarks.contestants import SCORER
from benchmarks.payments import Payments
from benchmarks.plan import BUNDLES
from scoring.catalog import scorers
from stream.bundle_library import BundleLibrary

PAYMENTS: list[dict[str, Any]] = Payments(seed=5, accounts=20).block(0).head(60).to_dicts()


class SortedSets:
    """The few commands of Redis that the competitor sends, on sorted sets in memory; pipelines run at once."""

    def __init__(self) -> None:
        self.sets: dict[str, dict[str, int]] = {}
        self.replies: list[Any] = []

    def pipeline(self, *, transaction: bool) -> "SortedSets":
        self.replies = []
        return self

    def zrange(self, key: str, first: int, last: int) -> None:
        kept = self.sets.get(key, {})
        self.replies.append(sorted(kept, key=lambda member: kept[member]))

    def zadd(self, key: str, members: dict[str, int]) -> None:
        self.sets.setdefault(key, {}).update(members)
        self.replies.append(len(members))

    def zremrangebyscore(self, key: str, least: int, most: int) -> None:
        gone = [member for member, score in self.sets[key].items() if least <= score <= most]
        self.replies.append([self.sets[key].pop(member) for member in gone])

    def expire(self, key: str, seconds: int) -> None:
        self.replies.append(True)

    async def execute(self) -> list[Any]:
        return self.replies


async def test_a_batch_gives_each_payment_the_features_it_has_alone() -> None:
    """A later payment of an account sees the earlier ones of its own batch and of the batches before."""
    folder = BundleLibrary((BUNDLES,)).champion(scorers()[SCORER]).folder
    scoring = ObviousScoring({"BENCH_BUNDLE": str(folder), "BENCH_POLICY": "0" * 16})
    redis, row = SortedSets(), 0
    for batch in (PAYMENTS[:25], PAYMENTS[25:]):
        past = await exchange(redis, batch)  # type: ignore[arg-type]
        features, depths = fold(scoring, batch, past)
        for payment, given, depth in zip(batch, features.tolist(), depths, strict=True):
            before: list[Payment] = [one for one in PAYMENTS[:row] if one["account_id"] == payment["account_id"]]
            alone = fold(scoring, [payment], {payment["account_id"]: before})[0][0].tolist()
            assert json.dumps(given) == json.dumps(alone)  # NaN is equal to itself as a text
            assert depth == len(before)  # `before` has this payment by now
            row += 1
    assert row == len(PAYMENTS)


async def test_what_is_older_than_thirty_days_leaves_redis() -> None:
    """State that only grows would make the competitor slower than its users have it."""
    redis = SortedSets()
    old, new = PAYMENTS[0], PAYMENTS[0] | {"event_id": "later"}
    new["occurred_at_ms"] += LONGEST_MS
    await exchange(redis, [old])  # type: ignore[arg-type]
    assert await exchange(redis, [new]) == {old["account_id"]: [old]}  # type: ignore[arg-type]
    (kept,) = redis.sets.values()
    assert [json.loads(member)["event_id"] for member in kept] == ["later"]
