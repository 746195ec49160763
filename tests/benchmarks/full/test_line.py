"""Lines through points, by hand."""

import math

import pytest

from benchmarks.full.line import fit_line


def test_a_line_through_points_on_a_line_is_that_line() -> None:
    """The extrapolation must be exact where nothing is uncertain."""
    line = fit_line([(0.0, 1.0), (1.0, 3.0), (3.0, 7.0)])
    assert (line.intercept, line.slope, line.deviation) == pytest.approx((1.0, 2.0, 0.0))
    assert line.at(10.0) == pytest.approx(21.0)


def test_the_error_grows_with_the_distance_from_the_points() -> None:
    """A figure far from what was measured must not look as certain as one amid it."""
    #  y of 0, 2, 1 at x of -1, 0, 1: slope 1/2, mean 1, off the line by -1/2, 1, -1/2: deviation sqrt(1.5 / 1)
    line = fit_line([(-1.0, 0.0), (0.0, 2.0), (1.0, 1.0)])
    assert (line.intercept, line.slope) == pytest.approx((1.0, 0.5))
    assert line.deviation == pytest.approx(math.sqrt(1.5))
    assert line.deviation_at(0.0) == pytest.approx(math.sqrt(1.5 * (1 + 1 / 3)))
    assert line.deviation_at(4.0) == pytest.approx(math.sqrt(1.5 * (1 + 1 / 3 + 16 / 2)))


def test_points_at_one_place_make_no_line() -> None:
    """A slope of nothing would be published as flat cost."""
    with pytest.raises(ValueError, match="two or more places"):
        fit_line([(5.0, 1.0), (5.0, 2.0)])
    with pytest.raises(ValueError, match="two or more places"):
        fit_line([])
