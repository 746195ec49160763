"""More events than the ring: tiles behind it, exact until a window's edge lies inside one."""

from dataclasses import replace

from scoring.features.inspect import inspect_state
from scoring.features.spec import Count, Rolling
from tests.scoring.features.folding import PAYMENTS, payment, table_of

VIEW = replace(PAYMENTS, features=(Count("12m"), Rolling("total", "charge", "12m")), ring=2)


def test_a_tile_inside_the_window_is_exact() -> None:
    """Tiles are of a minute (a twelfth of the window); ten events in five minutes: five tiles, no edge."""
    events = [payment(str(row), 600 + 30 * row, 1.0) for row in range(12)]
    table = table_of(VIEW, *events)
    assert table.vectors[:, 0].tolist() == list(range(1, 13))
    assert not table.approx.any()
    contents = inspect_state(VIEW, table.states[0])
    assert [tile.events for tile in contents.tiles] == [2, 2, 2, 2, 2]
    assert [tile.first_ms // 60_000 for tile in contents.tiles] == [10, 11, 12, 13, 14]


def test_a_tile_across_the_edge_counts_whole_and_is_flagged() -> None:
    """At 1335 s the window begins after 615 s; the tile of 600 s and 630 s is counted whole: one too many."""
    events = [payment(str(row), 600 + 30 * row, 1.0) for row in range(4)]
    table = table_of(VIEW, *events, payment("edge", 1335, 1.0), payment("past", 1350, 1.0))
    assert table.vectors[-2].tolist() == [5, 5]  # exactly 4
    assert table.vectors[-1].tolist() == [4, 4]  # the tile lies wholly before 630 s and is out
    assert table.approx.tolist() == [False] * 4 + [True, False]


def test_old_tiles_grow_coarser_when_a_longer_window_keeps_them() -> None:
    """Past 12 minutes only the window of an hour needs them: tiles of five minutes."""
    view = replace(VIEW, features=(Count("12m"), Count("1h")))
    table = table_of(view, *(payment(str(row), 60 * row, 1.0) for row in range(40)))
    tiles = inspect_state(view, table.states[0]).tiles
    young = [tile for tile in tiles if 39 * 60_000 - tile.last_ms < 12 * 60_000]
    old = [tile for tile in tiles if tile not in young]
    assert {tile.events for tile in young} <= {1, 5} and len(young) >= 9
    assert [tile.events for tile in old[:5]] == [5, 5, 5, 5, 5]
    assert table.vectors[-1].tolist() == [12, 40]


def test_without_room_neighbours_merge_and_no_event_is_lost() -> None:
    """Two tiles for ten minutes of events: wide tiles, but the whole window is still exact."""
    view = replace(VIEW, tiles=2)
    table = table_of(view, *(payment(str(row), 600 + 60 * row, 2.0) for row in range(10)))
    assert table.vectors[-1].tolist() == [10, 20]
    assert not table.approx.any()


def test_a_dropped_tile_is_said_until_no_window_reaches_it() -> None:
    """Three currencies, one tile: the oldest are dropped, counts are short, and flagged so."""
    view = replace(VIEW, tiles=1)
    paid = [payment(str(row), 600 + row, 1.0, currency=code) for row, code in enumerate("ABCDE")]
    table = table_of(view, *paid, payment("soon", 700, 1.0), payment("later", 1400, 1.0))
    assert table.vectors[:, 0].tolist() == [1, 2, 3, 4, 4, 4, 2]
    assert table.approx.tolist() == [False, False, False, False, True, True, False]
