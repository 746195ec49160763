"""What the obvious pipelines share: the features by hand, the very model that riskstream runs, and the score's form.

Needs numpy and onnxruntime only: a competitor may be run by an interpreter that has nothing else installed.
"""

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from benchmarks.competitors.obvious_features import LONGEST_MS, Payment, obvious_features
from schemas.cloudevents import Header, headers, source_of

LINGER_MS = 5
"""What every competitor's producer waits for more records."""

SCORER = "payment_anomaly"
Place = tuple[str, int, int]
"""Topic, partition and offset of an input record."""


class ObviousScoring:
    """Features, model and record form.

    Args:
        given: the benchmark's variables: folder of the bundle, digest of the policy.

    Attributes:
        names: the features that the model reads, in its order.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        folder = Path(given["BENCH_BUNDLE"])
        raw = (folder / "manifest.json").read_bytes()
        manifest = json.loads(raw)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.names: list[str] = manifest["features"]
        self._constants = {
            "score_kind": manifest["score_kind"],
            "bundle": hashlib.sha256(raw).hexdigest()[:16],
            "policy": given["BENCH_POLICY"],
            "view": manifest["view_digest"],
            "runtime": f"ort{onnxruntime.__version__}",
        }

    def features(self, payment: Payment, past: Sequence[Payment]) -> list[float]:
        """The model's input for one payment, given the account's earlier ones of 30 days, oldest first."""
        return self.in_order(obvious_features(payment, past))

    def in_order(self, by_name: Mapping[str, float]) -> list[float]:
        """The model's input from features by name, NaN where one is missing."""
        return [by_name.get(name, math.nan) for name in self.names]

    def values(self, features: NDArray[np.float32]) -> list[float]:
        """The scores of float32[n, feature] by one call of the model."""
        scored: list[float] = self._session.run(None, {"features": features})[0].ravel().tolist()
        return scored

    def body(
        self, payment: Payment, place: Place, *, value: float, features: NDArray[np.float32], depth: int
    ) -> dict[str, Any]:
        """A score of the form of riskstream's, without explanation.

        Args:
            place: of the input record.
            features: float32[feature].
            depth: the account's payments of 30 days, this one included.
        """
        topic, partition, offset = place
        return {
            "score_id": f"{SCORER}:{topic}:{partition}:{offset}:{zlib.crc32(payment['event_id'].encode()):08x}",
            "scorer": SCORER,
            "event_id": payment["event_id"],
            "entity": payment["account_id"],
            "source": {"topic": topic, "partition": partition, "offset": offset},
            "occurred_at_ms": payment["occurred_at_ms"],
            "value": round(value, 6),
            "level": "none",
            "features": base64.b64encode(features.tobytes()).decode(),
            "depth": depth,
            **self._constants,
        }

    def score(self, payment: Payment, place: Place, past: Sequence[Payment]) -> dict[str, Any]:
        """The score of one payment by a model call of its own."""
        features = np.array([self.features(payment, past)], np.float32)  # (1, feature)
        (value,) = self.values(features)
        return self.body(payment, place, value=value, features=features[0], depth=len(past) + 1)


def headers_of(score: Mapping[str, Any]) -> list[Header]:
    """The CloudEvents headers of a score, as riskstream's have them."""
    source = source_of("obvious", score["source"]["topic"], score["source"]["partition"])
    return headers("score", score["score_id"], source)


def not_older(past: Sequence[Payment], now_ms: int) -> list[Payment]:
    """Those of the payments that lie in the longest window before `now_ms`."""
    return [one for one in past if one["occurred_at_ms"] > now_ms - LONGEST_MS]
