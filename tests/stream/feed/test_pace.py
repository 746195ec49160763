"""Event time passes at the chosen multiple of real time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.feed.pace import Pace


def test_at_sixty_times_a_minute_passes_in_a_second():
    """The demo shows hours in minutes; nothing comes early."""
    pace = Pace(speed=60, first_ms=1_000_000)
    times = np.array([1_000_000, 1_060_000, 1_120_000])
    assert [pace.due(times, second) for second in (0.0, 0.999, 1.0, 2.0)] == [1, 1, 2, 3]
    assert pace.wait_s(1_120_000, 0.5) == 1.5
    assert pace.wait_s(1_000_000, 0.5) == 0.0


@given(st.lists(st.integers(0, 10_000), min_size=1), st.floats(0, 20), st.floats(0, 20))
def test_events_go_out_in_the_order_of_the_file_and_never_come_back(times, first_s, second_s):
    """A file that is not in order keeps its order; what was due stays due."""
    pace = Pace(speed=1, first_ms=times[0])
    earlier, later = sorted((first_s, second_s))
    assert pace.due(np.array(times), earlier) <= pace.due(np.array(times), later)
    due = pace.due(np.array(times), later)
    assert all(each <= times[0] + later * 1_000 for each in times[:due])
