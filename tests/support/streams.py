"""Drawn streams that reach the corners: ties, gaps, late events, refunds, several currencies, known ids."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, islice
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.as_of import AsOf, as_question
from schemas.events.measurement import Measurement
from schemas.events.tick import Tick
from schemas.events.transaction import Transaction
from scoring.features.spec import FeatureView, History, Lifetime, MovingAverage, RecentMean, Step
from scoring.views import account_activity, series_activity, symbol_activity
from tests.support.calendar_spans import ends_between
from tests.support.oracle import Oracle

STARTS_MS = (0, 1_700_000_000_000, -40_000_000, -2_000_000_000_000)
WINDOWED = ("window", "scale")
WINDOWS = {"1h": "1m", "1d": "10m", "3d": "40m", "7d": "1h", "30d": "3h", "90d": "4h"}


def shrunk(
    view: FeatureView, *, ring: int, windows: Mapping[str, str] = WINDOWS, step: Step = "event", **changes: Any
) -> FeatureView:
    """The view with other windows (of minutes) and a ring so small that tiles, expiry and resets are soon reached."""
    features = tuple(
        replace(feature, **{each: windows[getattr(feature, each)] for each in WINDOWED if hasattr(feature, each)})
        if hasattr(feature, "window")
        else replace(feature, events=min(feature.events, ring))
        if isinstance(feature, MovingAverage)
        else feature
        for feature in view.features
    )
    features = tuple({feature.name: feature for feature in features}.values())
    assert view.history is not None
    history = History(
        features=features_kept(view.history.features, features, windows),
        length=min(view.history.length, ring),
        step=step,
    )
    numbers = tuple(
        replace(number, events=min(number.events, ring)) if isinstance(number, RecentMean) else number
        for number in view.numbers
    )
    shortened = {"numbers": numbers, "horizon": windows[view.horizon], "grace": "2m", "history": history}
    return replace(view, features=features, ring=ring, **({"name": f"small_{view.name}"} | shortened | changes))


def features_kept(names: Iterable[str], features: Iterable[Any], windows: Mapping[str, str]) -> tuple[str, ...]:
    """Those of the names, with windows shortened, that are still features."""
    known = {feature.name for feature in features}
    short = ("_".join(windows.get(part, part) for part in name.split("_")) for name in names)
    return tuple(name for name in short if name in known)


SMALL_CARDS = shrunk(account_activity.VIEW, ring=5)
SMALL_TICKS = shrunk(symbol_activity.VIEW, ring=7)
CROWDED = shrunk(account_activity.VIEW, ring=3, tiles=4)
SMALL_SERIES = shrunk(series_activity.VIEW, ring=6)
VIEWS = (
    SMALL_CARDS, SMALL_TICKS, SMALL_SERIES, account_activity.VIEW, symbol_activity.VIEW, series_activity.VIEW,
)  # fmt: skip
DAILY = shrunk(
    account_activity.VIEW, ring=5, grace="3h", step="1d", name="daily_account",
    windows={"1h": "4h", "1d": "1d", "7d": "3d", "30d": "8d"},
)  # fmt: skip
WEEKLY = shrunk(
    account_activity.VIEW, ring=4, grace="1d", step="1w", name="weekly_account",
    windows={"1h": "1d", "1d": "4d", "7d": "10d", "30d": "40d"},
)  # fmt: skip
MONTHLY = shrunk(
    account_activity.VIEW, ring=4, grace="2d", step="1mo", name="monthly_account",
    windows={"1h": "5d", "1d": "20d", "7d": "50d", "30d": "130d"},
)  # fmt: skip
BY_PERIOD = shrunk(symbol_activity.VIEW, ring=7, step="period_close", name="symbol_by_period")
STEPPED = (DAILY, WEEKLY, MONTHLY, BY_PERIOD)
"""Views whose history has steps of the calendar, or of periods."""
LIFETIMES: tuple[Lifetime, ...] = (
    Lifetime("count"), Lifetime("days"), Lifetime("age"), Lifetime("idle"),
    Lifetime("total", "charge"), Lifetime("total", "refund"),
)  # fmt: skip


def counting(view: FeatureView, active_within: str, *features: Lifetime) -> FeatureView:
    """The view with counters over lives, which are in its history too."""
    assert view.history is not None
    names = tuple(feature.name for feature in features)
    return replace(
        view, name=f"living_{view.name}", features=(*view.features, *features), active_within=active_within,
        history=replace(view.history, features=(*view.history.features, *names)),
    )  # fmt: skip


LIVING = (
    counting(SMALL_CARDS, "8h", *LIFETIMES),
    counting(SMALL_TICKS, "20m", Lifetime("count"), Lifetime("total", "log_return"), Lifetime("age")),
    counting(DAILY, "3d", *LIFETIMES),
    counting(MONTHLY, "200d", *LIFETIMES[:4]),
)
"""Views that count over lives, longer and shorter than their horizon."""

AMOUNTS = (0.0, -0.0, 12.5, 12.5, -12.5, 1e15, -1e15, 1e-9, 1e-300)
PRICES = (100.0, 100.0, 1e-3, 1e12, 5e-324, 1e15)
READINGS = (0.0, -0.0, 12.5, 12.5, -12.5, 1e4, -1e4, 0.1)
"""Not as far apart as amounts: a mean of numbers is rounded by the largest of them."""
CURRENCIES = (None, "EUR", "EUR", "EUR", "USD")
MANY_CURRENCIES = tuple(f"C{number:02d}" for number in range(40))


@st.composite
def streams(
    draw: st.DrawFn, view: FeatureView, *, most: int = 250, currencies: Sequence[str | None] = CURRENCIES
) -> list[Any]:
    """Events of the view's type in order of arrival, by length and seed: a failure shrinks to a prefix."""
    length = draw(st.integers(1, most))
    return list(islice(endless(view, Random(draw(st.integers(0, 2**32))), currencies), length))


def endless(view: FeatureView, chance: Random, currencies: Sequence[str | None]) -> Iterator[Any]:
    """Events without end; some repeat an earlier id, alike or with another body."""
    make = {Tick: _tick, Measurement: _reading}.get(view.event.struct, _payment)
    moves, weights = (
        moves_of(view),
        (chance.choice((1, 4, 16)), chance.choice((0, 1, 4)), chance.choice((0, 1)), 1),
    )
    extremes = chance.random() < 0.3
    clock, past = chance.choice(STARTS_MS), deque[Any](maxlen=view.ring + 2)
    for row in count():
        move = chance.choice(chance.choices(moves, weights)[0])
        clock = max(clock, clock + move)
        repeat = chance.random() if past else 1.0
        if repeat < 0.1:
            event = chance.choice(past)
            if repeat < 0.04:
                event = msgspec.structs.replace(event, occurred_at_ms=clock)
        else:
            event = make(chance, f"e{row}", clock + min(move, 0), currencies, extremes)
        past.append(event)
        yield event


def with_closings(view: FeatureView, events: Iterable[Any]) -> list[Any]:
    """The stream with a question as of the end of each calendar span without an event, before what comes after it."""
    if view.history is None or not view.history.calendar_ms:
        return list(events)
    naive = Oracle(replace(view, history=None))
    asked: list[Any] = []
    for event in events:
        entity, time = getattr(event, view.entity), event.occurred_at_ms
        last = max((one.time for one in naive.accepted.get(entity, ())), default=time)
        if time - last <= view.horizon_ms:
            for end in ends_between(view.history.step, last, time):
                question = AsOf(event_id=f"{entity} at {end}", entity=entity, occurred_at_ms=end)
                asked.append(as_question(view.event, question))
        naive.fold(event)
        asked.append(event)
    return asked


def moves_of(view: FeatureView) -> list[list[int]]:
    """Steps of event time: small, back within grace, within windows, and all edges forth and back."""
    widest, grace = view.windows_ms[-1], view.grace_ms
    reaches = (*view.windows_ms, view.horizon_ms, *((view.active_within_ms,) if view.active_within else ()))
    edges = [window + shift for window in reaches for shift in (-1, 0, 1)]
    back = [-1, 1 - grace, -grace, -grace - 1, -widest, -view.horizon_ms]
    near = view.windows_ms[0] // 4
    return [
        [0, 0, 1, near // 7, near // 3, near // 2, near],
        [-grace * part // 9 for part in range(1, 9)],
        [widest * part // 36 for part in range(1, 7)],
        [*edges, *back, *back],
    ]


def _payment(
    chance: Random, event_id: str, time: int, currencies: Sequence[str | None], extremes: bool
) -> Transaction:
    usual = chance.randint(-20_000, 100_000) / 100
    return Transaction(
        event_id=event_id,
        occurred_at_ms=time,
        account_id=chance.choice(("a", "a", "a", "b")),
        amount=chance.choice(AMOUNTS) if extremes and chance.random() < 0.3 else usual,
        currency=chance.choice(currencies),
        merchant_id=chance.choice((None, "m1", "m2", "m3", "m4")),
        country=chance.choice((None, "FR", "DE")),
        balance=chance.choice((None, None, 0.0, 50.0, -20.0)),
    )


def _tick(chance: Random, event_id: str, time: int, _: Sequence[str | None], extremes: bool) -> Tick:
    price = (
        chance.choice(PRICES) if extremes and chance.random() < 0.3 else chance.randint(9_000, 11_000) / 100
    )
    return Tick(
        event_id=event_id,
        occurred_at_ms=time,
        symbol=chance.choice(("x", "x", "x", "y")),
        price=price,
        bid=chance.choice((None, price)),
        ask=chance.choice((None, min(price * 1.01, 1e15))),
        volume=chance.choice((None, 0.0, 10.0, 11.0, 250.0)),
    )


def _reading(
    chance: Random, event_id: str, time: int, _: Sequence[str | None], extremes: bool
) -> Measurement:
    usual = chance.choice((0.0, 0.0, chance.randint(-500, 500) / 10))
    return Measurement(
        event_id=event_id,
        occurred_at_ms=time,
        series_id=chance.choice(("x", "x", "x", "y")),
        value=chance.choice(READINGS) if extremes and chance.random() < 0.3 else usual,
    )


def spans_of(view: FeatureView, age_ms: int) -> int:
    """The widest tile, in milliseconds, of events of this age: a twelfth of the window that holds them."""
    reaching = [window for window in view.windows_ms if age_ms < window]
    return max((reaching[0] if reaching else view.windows_ms[-1]) // 12, 1)
