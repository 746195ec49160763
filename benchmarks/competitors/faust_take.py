"""Stock Faust with batches: `take` hands over what came, one Redis pipeline and one model call serve all of it.

What a user comes to who found one event at a time too slow: state, features, model, linger and record as in
`faust_per_event`, and spared the same. It takes events in place of values, because a score names the record it is of.
Run by the benchmark, which gives `BENCH_` variables.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from benchmarks.competitors.faust_app import make_app, run_app
from benchmarks.competitors.obvious_features import LONGEST_MS, Payment
from benchmarks.competitors.obvious_scoring import ObviousScoring, headers_of, not_older

MOST = 500
WITHIN_S = 0.05


def build_app(given: dict[str, str]) -> Any:
    """The Faust app with its one agent; `given` as in `faust_per_event`."""
    scoring = ObviousScoring(given)
    app, source, output = make_app(given)
    redis = Redis.from_url(given["BENCH_REDIS"], protocol=2)

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def score(stream: Any) -> None:
        async for events in stream.take_events(MOST, within=WITHIN_S):
            payments = [event.value for event in events]
            features, depths = fold(scoring, payments, await exchange(redis, payments))
            for row, (event, value) in enumerate(zip(events, scoring.values(features), strict=True)):
                message, payment = event.message, event.value
                place = (message.topic, message.partition, message.offset)
                body = scoring.body(payment, place, value=value, features=features[row], depth=depths[row])
                await output.send(key=payment["account_id"].encode(), value=body, headers=headers_of(body))

    return app


def fold(
    scoring: ObviousScoring, payments: Sequence[Payment], past: Mapping[str, list[Payment]]
) -> tuple[NDArray[np.float32], list[int]]:
    """Features, float32[payment, feature], and depths of a batch; later payments of it see its earlier ones.

    Args:
        past: each account's earlier payments, oldest first; the batch's are added to them.
    """
    rows, depths = [], []
    for payment in payments:
        known = past[payment["account_id"]]
        recent = not_older(known, payment["occurred_at_ms"])
        rows.append(scoring.features(payment, recent))
        depths.append(len(recent) + 1)
        known.append(payment)
    return np.array(rows, np.float32), depths


async def exchange(redis: "Redis", payments: Sequence[Payment]) -> dict[str, list[Payment]]:
    """What Redis had of each account before these payments, oldest first; the payments are added to it."""
    by_account: dict[str, list[Payment]] = {}
    for payment in payments:
        by_account.setdefault(payment["account_id"], []).append(payment)
    pipeline = redis.pipeline(transaction=False)
    for account, new in by_account.items():
        key = f"obvious:{account}"
        pipeline.zrange(key, 0, -1)
        pipeline.zadd(key, {json.dumps(payment): payment["occurred_at_ms"] for payment in new})
        pipeline.zremrangebyscore(key, 0, new[0]["occurred_at_ms"] - LONGEST_MS)
        pipeline.expire(key, LONGEST_MS // 1000)
    found = (await pipeline.execute())[::4]
    return {
        account: [json.loads(member) for member in members]
        for account, members in zip(by_account, found, strict=True)
    }


if __name__ == "__main__":
    run_app(build_app(dict(os.environ)))
