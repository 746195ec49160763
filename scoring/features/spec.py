"""What a feature view declares: numbers and codes of an event, windows, features, vector history.

Event time is in integer milliseconds. A window `w` at an event of time `t` is `(t - w, t]`, that event
included. All kinds of features are in one file, so that who declares a view reads them top to bottom.
"Earlier" features (ratio, z-score) leave the event itself out, so that it is compared with what came before
it.
"""

import hashlib
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, get_args

import msgspec

from schemas.event import EventType

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
FIRST_MONDAY_MS = 4 * DAY_MS  # 1970-01-05
STATE_VERSION = 1
TILES_PER_WINDOW = 12
_UNITS = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}

Keep = Literal["all", "positive", "negative"]
Step = Literal["event", "period_close", "1d", "1w", "1mo"]
LONGEST_SPANS_MS = {"1d": DAY_MS, "1w": 7 * DAY_MS, "1mo": 31 * DAY_MS}
"""Of the steps that the calendar closes, how long one may be."""


def duration_ms(text: str) -> int:
    """Milliseconds of a duration such as `30s`, `5m`, `1h` or `7d`.

    Raises:
        ValueError: not a positive whole number followed by s, m, h or d.

    >>> duration_ms("1h")
    3600000
    """
    unit = _UNITS.get(text[-1:])
    if unit is None or not text[:-1].isdigit() or int(text[:-1]) == 0:
        raise ValueError(f"duration {text!r}: expected a whole number and one of s, m, h, d, such as '1h'")
    return int(text[:-1]) * unit


@dataclass(frozen=True)
class Number:
    """A number of the event, kept in the ring and summed up in tiles.

    Args:
        name: what features call it.
        of: the event's field; `name` when left out.
        keep: `positive` keeps values of at least zero, `negative` keeps negative ones with the sign turned.
    """

    name: str
    of: str = ""
    keep: Keep = "all"

    @property
    def source(self) -> str:
        """The event's field this number is read from."""
        return self.of or self.name


@dataclass(frozen=True)
class LogReturn:
    """The natural logarithm of a number over that of the last event in order; kept like a `Number`.

    NaN for an event out of order, and where either number is missing or not positive.
    """

    name: str
    of: str


@dataclass(frozen=True)
class Difference:
    """A number less that of the last event in order; kept like a `Number`.

    NaN for an event out of order, and where either number is missing.
    """

    name: str
    of: str


@dataclass(frozen=True)
class RecentMean:
    """The mean of a number over the ring's last `events` in-order ones, this one included; kept like a `Number`.

    Of fewer while there are no more. NaN for an event out of order, and where its own number is missing.
    """

    name: str
    of: str
    events: int


Derived = LogReturn | Difference | RecentMean
"""Numbers that are made of the ring, not read from the event."""


@dataclass(frozen=True)
class Feature:
    """One entry of the feature vector; its `name` is derived, its `reason` is the code people see."""

    kind: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """Unique name within the view, such as `charge_mean_7d`."""
        raise NotImplementedError

    @property
    def reason(self) -> str:
        """Reason code for alerts: the feature's name in capitals."""
        return self.name.upper()


@dataclass(frozen=True)
class Count(Feature):
    """Events in the window, of every currency."""

    window: str
    kind: ClassVar[str] = "count"

    @property
    def name(self) -> str:
        """`count_1h`."""
        return f"count_{self.window}"


Statistic = Literal["total", "mean", "spread", "maximum", "minimum", "count"]


@dataclass(frozen=True)
class Rolling(Feature):
    """A statistic of a number in the window, this event included, within this event's currency.

    `spread` is the population standard deviation; without a value in the window NaN, totals and counts 0.
    """

    statistic: Statistic
    number: str
    window: str
    kind: ClassVar[str] = "rolling"

    @property
    def name(self) -> str:
        """`amount_mean_7d`."""
        return f"{self.number}_{self.statistic}_{self.window}"


@dataclass(frozen=True)
class Ratio(Feature):
    """This event's number over the mean of the earlier ones in the window; NaN without earlier ones."""

    number: str
    window: str
    kind: ClassVar[str] = "ratio"

    @property
    def name(self) -> str:
        """`amount_ratio_30d`."""
        return f"{self.number}_ratio_{self.window}"


@dataclass(frozen=True)
class ZScore(Feature):
    """This event's number in standard deviations from the mean of the earlier ones in the window.

    The deviation is taken as at least 1 % of the mean; NaN below two earlier values.
    """

    number: str
    window: str
    kind: ClassVar[str] = "zscore"

    @property
    def name(self) -> str:
        """`amount_zscore_30d`."""
        return f"{self.number}_zscore_{self.window}"


@dataclass(frozen=True)
class Value(Feature):
    """This event's own number or float field."""

    number: str
    kind: ClassVar[str] = "value"

    @property
    def name(self) -> str:
        """`amount`."""
        return self.number


@dataclass(frozen=True)
class Quotient(Feature):
    """One field of this event over another; NaN where either is missing or the divisor is zero."""

    number: str
    divisor: str
    kind: ClassVar[str] = "quotient"

    @property
    def name(self) -> str:
        """`amount_to_balance`."""
        return f"{self.number}_to_{self.divisor}"


@dataclass(frozen=True)
class RelativeSpread(Feature):
    """(ask - bid) over their middle."""

    bid: str = "bid"
    ask: str = "ask"
    kind: ClassVar[str] = "relative_spread"

    @property
    def name(self) -> str:
        """`relative_spread`."""
        return "relative_spread"


@dataclass(frozen=True)
class Distinct(Feature):
    """Distinct values of a code, missing ones aside, among the ring's events in the window and this event."""

    code: str
    window: str
    kind: ClassVar[str] = "distinct"

    @property
    def name(self) -> str:
        """`merchant_id_distinct_7d`."""
        return f"{self.code}_distinct_{self.window}"


@dataclass(frozen=True)
class Unseen(Feature):
    """1 when this event's code is not among the ring's events in the window, else 0.

    NaN when this event has no code, or the window holds no earlier event of the ring.
    """

    code: str
    window: str
    kind: ClassVar[str] = "unseen"

    @property
    def name(self) -> str:
        """`country_unseen_30d`."""
        return f"{self.code}_unseen_{self.window}"


@dataclass(frozen=True)
class FirstTimeShare(Feature):
    """Of the ring's events in the window and this one, the share whose code no earlier event of the ring has.

    Events without the code are left out; NaN where none is left.
    """

    code: str
    window: str
    kind: ClassVar[str] = "first_time_share"

    @property
    def name(self) -> str:
        """`account_id_first_share_1d`."""
        return f"{self.code}_first_share_{self.window}"


@dataclass(frozen=True)
class SinceLast(Feature):
    """Seconds since the entity's last event; NaN for the first and for one that arrives out of order."""

    kind: ClassVar[str] = "since_last"

    @property
    def name(self) -> str:
        """`seconds_since_last`."""
        return "seconds_since_last"


@dataclass(frozen=True)
class Clock(Feature):
    """Hour of the day or day of the week (UTC) on the circle."""

    unit: Literal["hour", "weekday"]
    side: Literal["sine", "cosine"]
    kind: ClassVar[str] = "clock"

    @property
    def name(self) -> str:
        """`hour_sine`."""
        return f"{self.unit}_{self.side}"


@dataclass(frozen=True)
class RealisedVolatility(Feature):
    """Square root of the sum of squared log returns in the window.

    Source: Andersen, Bollerslev, Diebold, Labys 2003, "Modeling and forecasting realized volatility".
    """

    number: str
    window: str
    kind: ClassVar[str] = "realised_volatility"

    @property
    def name(self) -> str:
        """`realised_volatility_1d`."""
        return f"realised_volatility_{self.window}"


@dataclass(frozen=True)
class EwmaVolatility(Feature):
    """Square root of the exponentially weighted mean of squared log returns over the ring's events.

    Weights fall by `decay` per event and are divided by their sum, so the average has a finite memory.
    Source: RiskMetrics technical document, 1996 (decay 0.94 for daily data).
    """

    number: str
    decay: float = 0.94
    kind: ClassVar[str] = "ewma_volatility"

    @property
    def name(self) -> str:
        """`ewma_volatility`."""
        return "ewma_volatility"


@dataclass(frozen=True)
class MovingAverage(Feature):
    """Logarithm of this number over the mean of the ring's last `events` in-order ones, this one included."""

    number: str
    events: int
    kind: ClassVar[str] = "moving_average"

    @property
    def name(self) -> str:
        """`price_to_mean_20`."""
        return f"{self.number}_to_mean_{self.events}"


@dataclass(frozen=True)
class AdaptiveMovingAverage(Feature):
    """Logarithm of this number over Kaufman's adaptive moving average of the ring's in-order events.

    The average begins with the oldest of them; where the number did not move at all, efficiency is 0.
    Source: P. Kaufman 1995, "Smarter Trading"; `events` for efficiency, fastest and slowest constants.
    """

    number: str
    events: int = 10
    fast: int = 2
    slow: int = 30
    kind: ClassVar[str] = "adaptive_moving_average"

    @property
    def name(self) -> str:
        """`price_to_adaptive_mean_10`."""
        return f"{self.number}_to_adaptive_mean_{self.events}"


@dataclass(frozen=True)
class Range(Feature):
    """(maximum - minimum) of a number in the window over this event's number."""

    number: str
    window: str
    kind: ClassVar[str] = "range"

    @property
    def name(self) -> str:
        """`price_range_1d`."""
        return f"{self.number}_range_{self.window}"


@dataclass(frozen=True)
class Beyond(Feature):
    """How far this event's number lies outside the range of the earlier ones in the window; 0 inside it.

    In standard deviations of the number in the window `scale`, this event included; so it is at most about the square
    root of how many there are. NaN without an earlier one in the window; 0 where it is outside by less than a
    billionth of the mean.
    """

    number: str
    window: str
    scale: str
    kind: ClassVar[str] = "beyond"

    @property
    def name(self) -> str:
        """`value_beyond_7d`."""
        return f"{self.number}_beyond_{self.window}"


LifetimeStatistic = Literal["count", "days", "age", "idle", "total"]


@dataclass(frozen=True)
class Lifetime(Feature):
    """What the entity did in all its life, past the horizon too, this event included; NaN out of order.

    A life lasts while one event follows the other within the view's `active_within`; after a longer gap it begins anew.

    Args:
        statistic: `count` of events of every currency; `days` (UTC) with an event in order; `age`, seconds since the
            first event; `idle`, seconds since the one before this, NaN at the first; `total` of a number within this
            event's currency, NaN for all but the first eight currencies of a life.
        number: of `total`.
    """

    statistic: LifetimeStatistic
    number: str | None = None
    kind: ClassVar[str] = "lifetime"

    @property
    def name(self) -> str:
        """`lifetime_count`, `lifetime_age_seconds`, `charge_lifetime_total`."""
        unit = "_seconds" if self.statistic in ("age", "idle") else ""
        return f"{self.number}_lifetime_{self.statistic}" if self.number else f"lifetime_{self.statistic}{unit}"


_OF_THE_RING = (EwmaVolatility, MovingAverage, AdaptiveMovingAverage)
_OF_A_SERIES = (Rolling, Ratio, ZScore, RealisedVolatility, Range, Beyond)


@dataclass(frozen=True)
class History:
    """The vectors of the last `length` steps, this event's own included, of the named features.

    Attributes:
        step: what makes a step. `event`: each event, in order of arrival; `period_close`: a point of event time, so
            that records of periods make one step per period, and one that corrects another takes its place. Both
            forget when the ring does. `1d`, `1w` (from Monday) or `1mo`: a span of the calendar, UTC, with the vector
            of its last event in order; without an event, of a question as of its end.
    """

    features: tuple[str, ...]
    length: int
    step: Step = "event"

    @property
    def calendar_ms(self) -> int:
        """How long a step of the calendar may be, in milliseconds; 0 for other steps."""
        return LONGEST_SPANS_MS.get(self.step, 0)


@dataclass(frozen=True, kw_only=True)
class FeatureView:
    """A declared, ordered list of rolling features of one input log for one entity; owns the state.

    Args:
        name: the file's name.
        event: the inbound event type.
        entity: the field that names the entity; must be the topic's key.
        numbers: what the ring keeps and the tiles sum up.
        codes: text fields the ring keeps as 32-bit hashes.
        features: the vector, in order.
        group: field within whose values numbers are compared and summed (the currency); empty for none.
        history: vectors the models may look back on; None keeps none.
        ring: how many raw events are kept; windows of fewer are exact.
        horizon: how far any feature looks back; past it state is empty state. Events older than horizon and
            grace before the newest one are forgotten, also for a late event that would still reach them.
        active_within: of a view with `Lifetime` features, how long an entity may be without an event before its life is
            over; may be longer than the horizon.
        grace: how far out of order an event may arrive and still be folded at its own place.
        warm_after: below this many earlier events a score is flagged `cold`.
        tiles: room for older events; where it does not suffice, tiles grow wider, or the oldest are dropped.
        carries: for a view of an internal topic, the view whose features its records bring along; they come first in
            the vector, and are part of the digest.
        prefix: what the names of the view's own features begin with, to tell them from those it carries.
        together: names of features that say much the same to people, those it carries among them; explanations delete
            them together. Others are together by kind. No part of the digest: neither state nor vector depends on it.
        usual_at: names of features and which quantile of the training data is the usual value that explanations set them
            to, where it is not the median; one of those that manifests keep. No part of the digest.

    Raises:
        ValueError: a feature, number or window that does not fit; names the view and the remedy.
    """

    name: str
    event: EventType
    entity: str
    numbers: tuple[Number | Derived, ...]
    features: tuple[Feature, ...]
    codes: tuple[str, ...] = ()
    group: str = ""
    history: History | None = None
    ring: int = 32
    horizon: str = "30d"
    grace: str = "1h"
    warm_after: int = 5
    tiles: int = field(default=TILES_PER_WINDOW * 8)
    carries: "FeatureView | None" = None
    prefix: str = ""
    together: tuple[tuple[str, ...], ...] = ()
    active_within: str = ""
    usual_at: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if self.entity != self.event.key:
            raise ValueError(
                f"view {self.name}: entity {self.entity!r} is not the key of topic {self.event.topic!r} "
                f"({self.event.key!r}); a view over another entity reads an internal topic, declared in schemas/events/"
            )
        if (self.carries.event if self.carries else None) is not self.event.origin:
            raise ValueError(
                f"view {self.name}: a view of an internal topic carries a view of the topic it is passed on from, and "
                f"no other view carries one; topic {self.event.topic!r}"
            )
        if self.carries and self.history:
            raise ValueError(f"view {self.name}: a view that carries another one keeps no vector history; remove it")
        names = self.feature_names
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"view {self.name}: feature {', '.join(doubled)} is declared twice; remove one")
        unknown = [name for name in (self.history.features if self.history else ()) if name not in names]
        if unknown:
            raise ValueError(
                f"view {self.name}: history names {', '.join(unknown)}, which is not a feature of the view"
            )
        grouped = [name for group in self.together for name in group]
        for name in grouped:
            if name not in names or grouped.count(name) > 1:
                raise ValueError(
                    f"view {self.name}: together names {name}, which is no feature of the view or is named twice"
                )
        for name, quantile in self.usual_at:
            if name not in names or not 0.0 < quantile < 1.0:
                raise ValueError(
                    f"view {self.name}: usual_at names {name} at {quantile}; expected one of its features and a quantile"
                )
        for window in self.windows_ms:
            if window > self.horizon_ms:
                raise ValueError(
                    f"view {self.name}: a window of {window} ms is longer than the horizon {self.horizon}"
                )
        self._check_names()
        self._check_sizes()
        self._check_lifetimes()

    def _check_sizes(self) -> None:
        sizes = {
            "ring": self.ring,
            "tiles": self.tiles,
            "history": self.history.length if self.history else 1,
        }
        for thing, size in sizes.items():
            if size < 1:
                raise ValueError(f"view {self.name}: {thing} is {size}; expected at least 1")
        looks_back = {
            feature.name: feature.events for feature in self.features if isinstance(feature, MovingAverage)
        }
        looks_back |= {number.name: number.events for number in self.numbers if isinstance(number, RecentMean)}
        if self.history and not self.history.calendar_ms:
            looks_back["history"] = self.history.length
        for thing, events in looks_back.items():
            if events > self.ring + 1:
                raise ValueError(
                    f"view {self.name}: {thing} looks back on {events} events, the ring keeps {self.ring}; "
                    f"make the ring at least {events - 1}"
                )
        if self.history:
            self._check_steps(self.history)

    def _check_steps(self, history: History) -> None:
        if history.step not in (steps := get_args(Step)):
            raise ValueError(
                f"view {self.name}: history has steps of {history.step!r}; expected one of {', '.join(steps)}"
            )
        reach = history.length * history.calendar_ms
        if reach > self.horizon_ms:
            raise ValueError(
                f"view {self.name}: history of {history.length} steps of {history.step} reaches back {reach // DAY_MS} "
                f"days, the horizon is {self.horizon}; make it at least {reach // DAY_MS}d"
            )
        if history.step == "period_close" and history.length > self.ring:
            raise ValueError(
                f"view {self.name}: history looks back on {history.length} periods, the ring keeps {self.ring} events; "
                f"make the ring at least {history.length}"
            )

    def _check_lifetimes(self) -> None:
        counters = [feature for feature in self.features if isinstance(feature, Lifetime)]
        if counters and not self.active_within:
            raise ValueError(
                f"view {self.name}: feature {counters[0].name} counts over a life; say how long one goes on without an "
                "event, such as active_within='730d'"
            )
        if self.active_within and not counters:
            raise ValueError(f"view {self.name}: active_within is for Lifetime features, and there are none; remove it")
        duration_ms(self.active_within or "1d")
        for feature in counters:
            if feature.statistic not in (known := get_args(LifetimeStatistic)):
                raise ValueError(
                    f"view {self.name}: Lifetime({feature.statistic!r}) is none of {', '.join(known)}; correct it"
                )
            if (feature.statistic == "total") != (feature.number in {number.name for number in self.numbers}):
                raise ValueError(
                    f"view {self.name}: feature {feature.name} is Lifetime({feature.statistic!r}, {feature.number!r}); "
                    "a total needs one of the view's numbers, the others have none"
                )

    def _check_names(self) -> None:
        numbers = {number.name for number in self.numbers}
        kept_whole = {number.source for number in self.numbers if isinstance(number, Number)}
        known_fields = set(self.event.struct.__struct_fields__)
        for number in self.numbers:
            source = number.source if isinstance(number, Number) else number.of
            if source not in known_fields:
                raise ValueError(f"view {self.name}: {source!r} is not a field of {self.event.name}")
            if source not in kept_whole:
                raise ValueError(
                    f"view {self.name}: {number.name} needs {source!r} in the ring; add Number({source!r})"
                )
        derived = {number.name for number in self.numbers if isinstance(number, Derived)}
        for code in (*self.codes, *([self.group] if self.group else [])):
            if code not in known_fields:
                raise ValueError(f"view {self.name}: {code!r} is not a field of {self.event.name}")
        for feature in self.features:
            for attribute in ("number", "divisor", "bid", "ask"):
                name = getattr(feature, attribute, None)
                if name is not None and name not in numbers and name not in known_fields:
                    raise ValueError(
                        f"view {self.name}: feature {feature.name} uses {name!r}, which is not declared"
                    )
            if isinstance(feature, _OF_THE_RING) and feature.number not in kept_whole | derived:
                raise ValueError(
                    f"view {self.name}: feature {feature.name} reads {feature.number!r} from the ring; "
                    f"expected a derived number or one of the fields {', '.join(sorted(kept_whole))}"
                )
            if isinstance(feature, _OF_A_SERIES) and feature.number not in numbers:
                raise ValueError(
                    f"view {self.name}: feature {feature.name} sums up {feature.number!r}; add it to numbers"
                )
            code_used = getattr(feature, "code", None)
            if code_used is not None and code_used not in self.codes:
                raise ValueError(
                    f"view {self.name}: feature {feature.name} uses code {code_used!r}; add it to codes"
                )

    def __hash__(self) -> int:
        """Of the digest: that of all its parts takes longer than many a call that looks something up by view."""
        return int(self.digest, 16)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Names in the order of the vector."""
        carried = self.carries.feature_names if self.carries else ()
        return (*carried, *(self.prefix + feature.name for feature in self.features))

    @cached_property
    def windows_ms(self) -> tuple[int, ...]:
        """The distinct windows of the features in milliseconds, shortest first."""
        named = {getattr(feature, each, "") for feature in self.features for each in ("window", "scale")} - {""}
        return tuple(sorted(map(duration_ms, named)))

    @property
    def horizon_ms(self) -> int:
        """How far any feature looks back, in milliseconds."""
        return duration_ms(self.horizon)

    @property
    def grace_ms(self) -> int:
        """How far out of order an event is still folded, in milliseconds."""
        return duration_ms(self.grace)

    @property
    def active_within_ms(self) -> int:
        """How long a life goes on without an event, in milliseconds; 0 where none is counted."""
        return duration_ms(self.active_within) if self.active_within else 0

    @property
    def meaningful_ms(self) -> int:
        """How long after its last event a state still says something, in milliseconds; then it is as good as absent."""
        return max(self.horizon_ms, self.active_within_ms) + self.grace_ms

    @cached_property
    def digest(self) -> str:
        """16 hex digits over everything that decides the state's bytes and the vector's values."""
        apart = ("event", "carries", "prefix", "together", "usual_at")
        declared = {
            entry.name: _plain(getattr(self, entry.name))
            for entry in fields(self)
            if entry.name not in apart and not _is_new(self, entry.name)
        }
        if self.carries:
            declared |= {"carries": self.carries.digest, "prefix": self.prefix}
        declared |= {"event": self.event.name, "topic": self.event.topic, "state_version": STATE_VERSION}
        return hashlib.sha256(msgspec.json.encode(declared, order="deterministic")).hexdigest()[:16]


def _is_new(value: Any, name: str) -> bool:
    """Whether a field came later than the first digests and says what held before; those digests stay what they are."""
    before = {"step": "event"} if isinstance(value, History) else {"active_within": ""}
    return name in before and getattr(value, name) == before[name]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__} | {
            entry.name: _plain(getattr(value, entry.name)) for entry in fields(value) if not _is_new(value, entry.name)
        }
    return value
