"""Explanations written by compiled code: the bytes that the encoder makes of the dictionaries."""

import math

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.reasons import Explanation
from scoring.wire.explanations import write_explanations
from scoring.wire.packed import pack

FLOATS = st.floats(width=32) | st.sampled_from([0.0, -0.0, math.nan, math.inf, 1e-45, 0.1])
WIDTHS = st.integers(1, 5).flatmap(
    lambda width: st.tuples(
        st.lists(st.text(max_size=6), min_size=width, max_size=width, unique=True),
        st.lists(
            st.tuples(*[st.lists(FLOATS, min_size=width, max_size=width)] * 2), min_size=1, max_size=4
        ),
    )
)
encode = msgspec.json.encode


@settings(deadline=None)  # the first call compiles
@given(WIDTHS)
def test_the_quick_text_is_byte_for_byte_what_the_encoder_writes(drawn):
    """A score and the alert about it tell the same; a replay is compared with what was served by its bytes."""
    names, rows = drawn
    values = np.array([seen for seen, _ in rows], np.float32).astype(np.float64)
    parts = np.array([added for _, added in rows], np.float32).astype(np.float64)
    endings = [f',"reasons":["{row}"]'.encode() for row in range(len(rows))]
    written = write_explanations(
        pack([encode(name) + b":" for name in names]), values, parts, pack(endings)
    )
    for row in range(len(rows)):
        explanation = Explanation(names, values[row], parts[row], ())
        expected = encode(
            {"named_features": explanation.named_features, "contributions": explanation.contributions}
        )
        assert b"{" + written.one(row)[1:] == expected[:-1] + endings[row]
