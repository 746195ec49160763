"""The obvious reading of the task: one Faust agent that does everything for one event, then the next.

Per event: JSON by Faust, the account's payments of 30 days from a Redis sorted set and this one into it by one pipeline
(hiredis parses), the features by numpy, the very model that riskstream runs, and `topic.send` with 5 ms of linger. It is
spared much: it explains nothing, raises no alert, and may count an event twice or lose one. Its record is of the form and
size of riskstream's, headers included. With `BENCH_FEATURES=two` it computes a count and takes the amount, and the model
gets nothing else. Run by the benchmark, which gives `BENCH_` variables.
"""

import json
import os
from typing import Any

import numpy as np
from redis.asyncio import Redis

from benchmarks.competitors.faust_app import make_app, run_app
from benchmarks.competitors.obvious_features import LONGEST_MS
from benchmarks.competitors.obvious_scoring import ObviousScoring, headers_of


def build_app(given: dict[str, str]) -> Any:
    """The Faust app with its one agent.

    Args:
        given: Kafka, Redis, bundle folder, policy digest, source and output topic, compression, which
            features (`all` or `two`), folder for Faust's files.
    """
    scoring = ObviousScoring(given)
    all_features = given["BENCH_FEATURES"] == "all"
    app, source, output = make_app(given)
    redis = Redis.from_url(given["BENCH_REDIS"], protocol=2)

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def score(stream: Any) -> None:
        async for event in stream.events():
            payment, message = event.value, event.message
            key, now = f"obvious:{payment['account_id']}", payment["occurred_at_ms"]
            pipeline = redis.pipeline(transaction=False)
            pipeline.zremrangebyscore(key, 0, now - LONGEST_MS)
            if all_features:
                pipeline.zrange(key, 0, -1)
            else:
                pipeline.zcard(key)
            pipeline.zadd(key, {json.dumps(payment) if all_features else payment["event_id"]: now})
            pipeline.expire(key, LONGEST_MS // 1000)
            found = (await pipeline.execute())[1]
            place = (message.topic, message.partition, message.offset)
            if all_features:
                body = scoring.score(payment, place, [json.loads(member) for member in found])
            else:
                two = scoring.in_order({"amount": payment["amount"], "count_30d": found + 1})
                features = np.array([two], np.float32)
                (value,) = scoring.values(features)
                body = scoring.body(payment, place, value=value, features=features[0], depth=found + 1)
            await output.send(key=payment["account_id"].encode(), value=body, headers=headers_of(body))

    return app


if __name__ == "__main__":
    run_app(build_app(dict(os.environ)))
