"""The obvious reading of the task: one Faust agent that does everything for one event, then the next.

Per event: JSON by Faust, the account's payments of 30 days from a Redis sorted set and this one into it by one pipeline
(hiredis parses), the features by numpy, the very model that riskstream runs, and `topic.send` with 5 ms of linger. It is
spared much: it explains nothing, raises no alert, sends no headers, and may count an event twice or lose one. Its record
is of the form and size of riskstream's. With `BENCH_FEATURES=two` it computes a count and takes the amount, and the model
gets nothing else. Run by the benchmark, which gives `BENCH_` variables.
"""

import base64
import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import faust
import msgspec
import numpy as np
import onnxruntime
from redis.asyncio import Redis

from benchmarks.obvious_features import LONGEST_MS, obvious_features

LINGER_S = 0.005


def build_app(given: dict[str, str]) -> Any:
    """The Faust app with its one agent.

    Args:
        given: Kafka, Redis, bundle folder, policy digest, source and output topic, compression, which
            features (`all` or `two`), folder for Faust's files.
    """
    folder = Path(given["BENCH_BUNDLE"])
    raw = (folder / "manifest.json").read_bytes()
    manifest = msgspec.json.decode(raw)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    constants = {
        "score_kind": manifest["score_kind"],
        "bundle": hashlib.sha256(raw).hexdigest()[:16],
        "policy": given["BENCH_POLICY"],
        "view": manifest["view_digest"],
        "runtime": f"ort{onnxruntime.__version__}",
    }
    names = manifest["features"]
    all_features = given["BENCH_FEATURES"] == "all"
    app = faust.App(
        f"obvious-{os.getpid()}",
        broker=f"kafka://{given['BENCH_KAFKA']}",
        store="memory://",
        datadir=given["BENCH_FOLDER"],
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        producer_linger=LINGER_S,
        producer_compression_type=None
        if given["BENCH_COMPRESSION"] == "none"
        else given["BENCH_COMPRESSION"],
    )
    source = app.topic(given["BENCH_SOURCE"], value_serializer="json", key_type=bytes, key_serializer="raw")
    output = app.topic(given["BENCH_OUTPUT"], value_serializer="json", key_type=bytes, key_serializer="raw")
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
            if all_features:
                by_name = obvious_features(payment, [json.loads(member) for member in found])
                count = len(found) + 1
            else:
                count = found + 1
                by_name = {"amount": payment["amount"], "count_30d": count}
            row = [by_name.get(name, math.nan) for name in names]
            features = np.array([row], np.float32)
            value = float(session.run(None, {"features": features})[0][0])
            where = f"{message.topic}:{message.partition}:{message.offset}"
            body = {
                "score_id": f"payment_anomaly:{where}",
                "scorer": "payment_anomaly",
                "event_id": payment["event_id"],
                "entity": payment["account_id"],
                "source": {"topic": message.topic, "partition": message.partition, "offset": message.offset},
                "occurred_at_ms": now,
                "value": round(value, 6),
                "level": "none",
                "features": base64.b64encode(features.tobytes()).decode(),
                "depth": count,
                **constants,
            }
            await output.send(key=payment["account_id"].encode(), value=body)

    return app


if __name__ == "__main__":
    worker = faust.Worker(build_app(dict(os.environ)), loglevel="WARN", redirect_stdouts=False, quiet=True)
    worker.execute_from_commandline()
