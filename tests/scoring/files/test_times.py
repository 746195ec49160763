"""Every form of time in a file has one reading."""

import datetime as dt

import polars as pl
import pytest

from schemas.dead_letter import Reason
from schemas.events import transaction
from scoring.files import Mapping, read_events
from scoring.files.mapping import Time


def ms(*parts: int) -> int:
    """UTC milliseconds of a date and time."""
    return round(dt.datetime(*parts, tzinfo=dt.UTC).timestamp() * 1_000)


def read(folder, values, time):
    """The one chunk of a file whose only column is a time."""
    file = folder / "f.parquet"
    pl.DataFrame({"when": values}).write_parquet(file)
    mapping = Mapping(time=Time(column="when", **time), fields=("account_id='A'", "amount:=1"))
    (chunk,) = read_events([file], mapping, transaction.EVENT)
    return chunk


@pytest.mark.parametrize(
    ("values", "time", "expected"),
    [
        ([dt.datetime(2020, 7, 1, 12)], {}, ms(2020, 7, 1, 12)),
        ([dt.datetime(2020, 7, 1, 12)], {"zone": "Europe/London"}, ms(2020, 7, 1, 11)),
        ([dt.date(2020, 1, 2)], {"zone": "America/New_York", "at": "16:00"}, ms(2020, 1, 2, 21)),
        (["2020-07-02"], {"zone": "America/New_York", "at": "16:00"}, ms(2020, 7, 2, 20)),
        (["2020-01-02T03:04:05Z"], {"zone": "Asia/Tokyo"}, ms(2020, 1, 2, 3, 4, 5)),
        (["2020-01-02 03:04:05+01:00"], {}, ms(2020, 1, 2, 2, 4, 5)),
        (["2020-01-02 03:04:05.250"], {}, ms(2020, 1, 2, 3, 4, 5) + 250),
        (["12/1/2010 8:26"], {"format": "%m/%d/%Y %H:%M"}, ms(2010, 12, 1, 8, 26)),
        (["01.12.2010"], {"format": "%d.%m.%Y"}, ms(2010, 12, 1)),
        ([1_600_000_000], {"unit": "s"}, 1_600_000_000_000),
        ([1_600_000_000.25], {"unit": "s"}, 1_600_000_000_250),
        (["1600000000.25"], {"unit": "s"}, 1_600_000_000_250),
        ([1_600_000_000_000], {}, 1_600_000_000_000),
        ([1_600_000_000_123_456], {"unit": "us"}, 1_600_000_000_123),
        ([1_600_000_000_123_456_789], {"unit": "ns"}, 1_600_000_000_123),
        ([3], {"unit": "day", "start": "2017-01-01"}, ms(2017, 1, 4)),
        ([3], {"unit": "day", "start": "2017-01-01", "zone": "Asia/Tokyo", "at": "09:00"}, ms(2017, 1, 4)),
        (["2020-01-02 03:04:00"], {"shift": "1m"}, ms(2020, 1, 2, 3, 5)),
        (["2020-10-25 01:30"], {"zone": "Europe/London"}, ms(2020, 10, 25, 0, 30)),
    ],
)
def test_every_way_to_write_a_time_gives_utc_milliseconds(tmp_path, values, time, expected):
    """A wrong zone or unit moves every window; each form has one reading."""
    chunk = read(tmp_path, values, time)
    assert chunk.refused == []
    assert chunk.frame["occurred_at_ms"].to_list() == [expected]


@pytest.mark.parametrize(
    ("value", "time", "reason"),
    [
        ("2020-03-29 01:30", {"zone": "Europe/London"}, Reason.WRONG_TYPE),
        ("2020-02-30", {}, Reason.WRONG_TYPE),
        (1_600_000_000, {}, Reason.TIME_IN_SECONDS),
        (10**15, {"unit": "day"}, Reason.TIME_OUT_OF_RANGE),
        (2**62, {"unit": "s"}, Reason.TIME_OUT_OF_RANGE),
        (None, {}, Reason.MISSING_FIELD),
    ],
)
def test_a_time_that_never_was_is_refused(tmp_path, value, time, reason):
    """A local time skipped by summer time, a 30th of February: guessing would be worse than saying so."""
    chunk = read(tmp_path, [value], time)
    assert chunk.frame.height == 0
    assert [(row.reason, row.path) for row in chunk.refused] == [(reason, "$.occurred_at_ms")]
