"""A competitor that computes less, or something else, shows."""

import base64
import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.bench import find_bundles
from benchmarks.broker import spans
from benchmarks.comparison import Reference
from benchmarks.competitors.obvious_scoring import ObviousScoring, not_older
from benchmarks.contestants import SCORER
from benchmarks.payments import Payments
from benchmarks.plan import BUNDLES, Plan
from scoring.catalog import scorers
from stream.bundle_library import BundleLibrary

PLAN = Plan(accounts=300, compared_payments=3_000)


@cache
def reference() -> Reference:
    return Reference(PLAN, BundleLibrary((BUNDLES,)))


@cache
def written(count: int = 3_000) -> list[dict[str, Any]]:
    """The scores of the first payments as an obvious pipeline writes them."""
    folder = BundleLibrary((BUNDLES,)).champion(scorers()[SCORER]).folder
    scoring = ObviousScoring({"BENCH_BUNDLE": str(folder), "BENCH_POLICY": "0" * 16})
    past: dict[str, list[Any]] = {}
    bodies = []
    for number, payment in enumerate(Payments(PLAN.seed, PLAN.accounts).block(0).head(count).to_dicts()):
        known = past.setdefault(payment["account_id"], [])
        recent = not_older(known, payment["occurred_at_ms"])
        bodies.append(scoring.score(payment, ("transactions", 0, number), recent))
        known.append(payment)
    return bodies


def records(bodies: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(body).encode() for body in bodies]


def test_the_benchmark_has_a_model_to_compare_by(tmp_path: Path) -> None:
    """The comparison runs the bundle that the pipelines run."""
    assert find_bundles(tmp_path)[0] == (BUNDLES,)


def test_an_obvious_pipeline_writes_the_scores_of_riskstream() -> None:
    """Few payments of few accounts leave nothing to be approximated, so that every score has to be the same."""
    found = reference().judge(records(written(600)))
    assert (found.scores, found.same, found.differing) == (600, 600, ())


def test_where_scores_differ_riskstream_says_itself_that_it_approximates() -> None:
    """Whoever keeps every payment is exact where riskstream is not; anything else that differs is a mistake."""
    found = reference().judge(records(written()))
    assert found.same < found.scores == 3_000
    assert found.approximate == found.scores - found.same
    assert {"merchant_id_distinct_30d"} <= {name for name, _ in found.differing}


@pytest.mark.parametrize("name", ["value", "features"])
def test_a_value_or_a_feature_that_is_off_is_no_score_of_riskstream(name: str) -> None:
    """A pipeline that leaves a feature out could still hit most values."""
    bodies = [dict(body) for body in written(600)[:10]]
    features = np.frombuffer(base64.b64decode(bodies[3]["features"]), "<f4").copy()
    features[0] += 1.0
    wrong = {
        "value": bodies[3]["value"] + 0.01,
        "features": base64.b64encode(features.tobytes()).decode(),
    }
    bodies[3][name] = wrong[name]
    found = reference().judge(records(bodies))
    assert (found.scores, found.same, found.share) == (10, 9, 0.9)
    assert found.approximate == 0  # riskstream is exact there: it is the other that is wrong
    assert [count for _, count in found.differing] == [1] * (name == "features")


def test_a_score_with_fewer_features_differs_in_all_of_them() -> None:
    """Two features of 46 are not compared with the first two."""
    body = dict(written(600)[0])
    body["features"] = base64.b64encode(np.zeros(2, "<f4").tobytes()).decode()
    assert reference().judge(records([body])).same == 0


def test_scores_of_other_scorers_and_of_later_payments_are_passed_over() -> None:
    """A shadow's score is on the same topic, and what came later was not worked out."""
    bodies = [dict(body) for body in written(600)[:3]]
    bodies[0]["scorer"] = "payment_attention"
    bodies[1]["event_id"] = "p999999999999"
    assert reference().judge(records(bodies)).scores == 1
    assert reference().judge([]).share is None


def test_the_sample_is_of_the_beginning_and_of_the_end_and_no_record_is_read_twice() -> None:
    """Early payments have little history, late ones much; both have to be right."""
    found = spans(10, 20_000, 500)
    assert found[0][0] == 10 and found[-1][1] == 20_000
    assert sum(end - start for start, end in found) == 500
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert spans(0, 20, 500) == [(0, 20)] and spans(7, 7, 500) == []
