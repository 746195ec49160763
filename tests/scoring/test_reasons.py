"""Why a score is high: leading features by what they add, each with the side on which it is unusual."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.reasons import DECIMALS, LEAST_SHARE, MOST_REASONS, explain, in_words

NAMES = ("gap", "amount", "ratio", "count", "balance", "age")
BASELINE = {"amount": [0.0, 2.0, 9.0], "ratio": [0.0, 1.0, 2.0], "count": [None, None, None], "age": []}
PARTS = st.sampled_from([0.0, -0.0, 1e-7, 4e-7, 6e-7, 0.05, 0.5, 0.5, 1.0, -1.0]) | st.floats(-10, 10, width=32)
VALUES = st.sampled_from([float("nan"), 0.0, 1.0, 2.0, 3.5]) | st.floats(-100, 100, width=32)


def told(values: list[float], parts: list[float]) -> tuple[dict, dict, tuple]:
    """What an explanation says, by its definition, for one row."""
    rounded = np.round(np.array(parts, np.float64), DECIMALS).tolist()
    named = {name: None if np.isnan(value) else value for name, value in zip(NAMES, values, strict=True)}
    added = {name: part for name, part in zip(NAMES, rounded, strict=True) if part}
    least = LEAST_SHARE * sum(part for part in rounded if part > 0)
    leading = sorted((-part, name) for name, part in added.items() if part > 0 and part >= least)
    reasons = []
    for _, name in leading[:MOST_REASONS]:
        seen = BASELINE.get(name) or [None]
        middle, value = seen[len(seen) // 2], named[name]
        low = middle is not None and value is not None and value < middle
        reasons.append(f"{name.upper()}_{'MISSING' if value is None else 'LOW' if low else 'HIGH'}")
    return named, added, tuple(reasons) or ("UNUSUAL_COMBINATION",)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.lists(kind, min_size=6, max_size=6) for kind in (VALUES, PARTS)]), min_size=1, max_size=9))
def test_an_explanation_of_many_rows_is_that_of_each_by_its_definition(rows):
    """Reasons are compared byte by byte with what was published, whatever else was in the batch."""
    vectors = np.array([values for values, _ in rows], np.float32)
    contributions = np.array([parts for _, parts in rows], np.float32)
    found = explain(NAMES, vectors, contributions, BASELINE)
    expected = [told(*row) for row in zip(vectors.tolist(), contributions.tolist(), strict=True)]
    assert [(each.named_features, each.contributions, each.reasons) for each in found] == expected


def test_somebody_who_is_refused_is_told_the_principal_reasons():
    """A lender has to name them, each with the side on which it lies; nobody is told of what spoke for them."""
    (found,) = explain(
        NAMES,
        np.array([[9.0, 1.0, np.nan, 3.0, 5.0, 2.0]], np.float32),
        np.array([[0.0, 2.0, 1.0, -1.0, 0.0, 0.0]], np.float32),
        {"amount": [0.0, 0.5, 1.0, 2.0, 3.0, 8.0, 9.0], "ratio": [0.0, 1.0, 2.0]},
    )
    said = in_words(found, {"amount": [0.0, 0.5, 1.0, 2.0, 3.0, 8.0, 9.0]}, adverse_action=True)
    assert said == "principal reasons: amount is too low (1, usually about 2); ratio is not stated"


def test_a_refusal_without_a_leading_feature_says_so():
    """A made-up reason would be worse than none."""
    (found,) = explain(NAMES, np.ones((1, 6), np.float32), -np.ones((1, 6), np.float32), {})
    assert in_words(found, {}, adverse_action=True) == "no single reason: the combination of all values"
