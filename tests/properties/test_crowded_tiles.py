"""More currencies than there is room for tiles: what cannot be kept is said, never silently missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.features import spec
from scoring.features.batch import EventBatch
from scoring.features.spec import FeatureView
from scoring.features.table import fold_table
from tests.properties.test_oracle import same
from tests.support.doubles import vectors_in_doubles
from tests.support.oracle import Oracle
from tests.support.streams import CROWDED, CURRENCIES, MANY_CURRENCIES, streams


@pytest.mark.parametrize("currencies", [CURRENCIES, MANY_CURRENCIES], ids=["few", "many"])
@given(data=st.data())
def test_what_is_not_flagged_is_exact_even_without_room(
    currencies: tuple[str | None, ...], data: st.DataObject
) -> None:
    """A count that is short because a tile was dropped must carry `approx`."""
    events = data.draw(streams(CROWDED, currencies=currencies))
    check(CROWDED, events)


def check(view: FeatureView, events: list[object]) -> None:
    """Vectors without `approx` equal the oracle's; those with it still have the features of the ring."""
    batch = EventBatch.from_events(view.event, events)
    table, doubles = fold_table(view, batch), vectors_in_doubles(view, batch)
    naive = Oracle(view)
    of_windows = (spec.Count, spec.Rolling, spec.Ratio, spec.ZScore)
    for row, event in enumerate(events):
        outcome = naive.fold(event)
        if outcome.moment is None:
            continue
        for feature, value in zip(view.features, doubles[row].tolist(), strict=True):
            if table.approx[row] and isinstance(feature, of_windows):
                continue
            assert same(feature, value, outcome.vector[feature.name], outcome.moment), (row, feature.name)


def test_forty_currencies_overflow_the_tiles_and_say_so() -> None:
    """The drawn streams must really reach the case: four tiles for forty currencies."""
    events = [
        CROWDED.event.struct(
            event_id=f"e{row}", occurred_at_ms=row * 1000, account_id="a", amount=1.0, currency=f"C{row:02d}"
        )
        for row in range(40)
    ]
    table = fold_table(CROWDED, EventBatch.from_events(CROWDED.event, events))
    counts = table.vectors[:, CROWDED.feature_names.index("count_3h")]
    np.testing.assert_array_equal(counts[:8], np.arange(1, 9))
    assert not table.approx[:3].any()
    assert counts[-1] == 8  # three in the ring, four in tiles, this one
    assert table.approx[8:].all()
