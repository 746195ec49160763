"""Each feature by its definition, in plain Python: slow, obviously right, sharing nothing with the kernel.

Only the declarations (`scoring.features.spec`) and Python's `math` are used.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scoring.features import spec
from scoring.features.spec import Derived, Feature, FeatureView, duration_ms

LARGEST = (2 - 2**-23) * 2.0**127  # of a float32


@dataclass(frozen=True)
class Accepted:
    """An event that was folded: `row` is its place in the stream, `numbers` holds fields and derived numbers."""

    row: int
    event: Any
    in_order: bool
    numbers: dict[str, float | None]

    @property
    def time(self) -> int:
        """Event time in milliseconds."""
        return int(self.event.occurred_at_ms)


@dataclass(frozen=True)
class Moment:
    """What is known when an event is scored: the event and what came before.

    Memory and ring are those of the oracle; `accepted` also holds what lies beyond the memory, and `life` what lies
    beyond the horizon in the entity's life. `asked` is True for a question, which is no event.
    """

    view: FeatureView
    current: Accepted
    accepted: Sequence[Accepted]
    memory: Sequence[Accepted]
    ring: Sequence[Accepted]
    life: Sequence[Accepted] = ()
    asked: bool = False

    def window(self, name: str, *, wider_ms: int = 0, later_ms: int = 0) -> list[Accepted]:
        """Remembered events in `(t - w - wider, t + later]`, without the event itself."""
        now, width = self.current.time, duration_ms(name)
        known = self.accepted if wider_ms else self.memory
        return [one for one in known if now - width - wider_ms < one.time <= now + later_ms]

    def ring_window(self, name: str) -> list[Accepted]:
        """The ring's events in `(t - w, t]`, without the event itself."""
        now, width = self.current.time, duration_ms(name)
        return [one for one in self.ring if now - width < one.time <= now]

    def values(self, number: str, events: Sequence[Accepted]) -> list[float]:
        """The kept values of a declared number among events of this event's group."""
        alike = [one for one in events if self.group(one) == self.group(self.current)]
        return [value for value in (self.kept(number, one) for one in alike) if value is not None]

    def group(self, one: Accepted) -> str | None:
        """The currency, or whatever numbers are kept apart by."""
        return getattr(one.event, self.view.group) if self.view.group else None

    def kept(self, number: str, one: Accepted) -> float | None:
        """The value of a declared number: its field, with the sign it keeps."""
        declared = next(each for each in self.view.numbers if each.name == number)
        if isinstance(declared, Derived):
            return one.numbers[number]
        value = one.numbers[declared.source]
        if (
            value is None
            or (declared.keep == "positive" and value < 0)
            or (declared.keep == "negative" and value >= 0)
        ):
            return None
        return -value if declared.keep == "negative" else value

    def plain(self, name: str) -> float | None:
        """This event's value of a declared number, else of a field."""
        declared = any(each.name == name for each in self.view.numbers)
        return self.kept(name, self.current) if declared else self.current.numbers[name]

    def in_order_values(self, number: str) -> list[float]:
        """Values of the ring's in-order events, oldest first, this event's not among them."""
        values = [one.numbers[number] for one in self.ring if one.in_order]
        return [value for value in values if value is not None]


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; NaN of nothing."""
    return math.fsum(values) / len(values) if values else math.nan


def log_of_ratio(upper: float, lower: float) -> float:
    """Natural logarithm of upper over lower, also where the quotient itself leaves the range of a float."""
    quotient = upper / lower
    return math.log(quotient) if 0 < quotient < math.inf else math.log(upper) - math.log(lower)


def spread(values: Sequence[float]) -> float:
    """Population standard deviation; NaN of nothing."""
    middle = mean(values)
    return math.sqrt(mean([(value - middle) ** 2 for value in values])) if values else math.nan


STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "total": math.fsum,
    "count": len,
    "mean": mean,
    "spread": spread,
    "maximum": lambda values: max(values, default=math.nan),
    "minimum": lambda values: min(values, default=math.nan),
}


def value_of(feature: Feature, moment: Moment) -> float:
    """A feature by its definition, within the range of float32; NaN for missing."""
    value = DEFINITIONS[type(feature)](feature, moment)
    return math.nan if value is None else min(max(value, -LARGEST), LARGEST)


def rolling_values(feature: Any, moment: Moment, **wider: int) -> list[float]:
    """Values in a feature's window, this event's included; `wider` as in `Moment.window`."""
    return moment.values(feature.number, [*moment.window(feature.window, **wider), moment.current])


def _ratio(feature: spec.Ratio, moment: Moment) -> float | None:
    now, usual = moment.kept(feature.number, moment.current), _earlier_mean(feature, moment)
    return None if now is None or math.isnan(usual) or usual == 0 else now / usual


def _earlier_mean(feature: Any, moment: Moment) -> float:
    return mean(moment.values(feature.number, moment.window(feature.window)))


def _zscore(feature: spec.ZScore, moment: Moment) -> float | None:
    now = moment.kept(feature.number, moment.current)
    earlier = moment.values(feature.number, moment.window(feature.window))
    if now is None or len(earlier) < 2:
        return None
    deviation = max(spread(earlier), 0.01 * abs(mean(earlier)))
    return (now - mean(earlier)) / deviation if deviation > 0 else None


def _quotient(feature: spec.Quotient, moment: Moment) -> float | None:
    upper, lower = moment.current.numbers[feature.number], moment.current.numbers[feature.divisor]
    return upper / lower if upper is not None and lower else None


def _relative_spread(feature: spec.RelativeSpread, moment: Moment) -> float | None:
    bid, ask = moment.current.numbers[feature.bid], moment.current.numbers[feature.ask]
    return (ask - bid) / ((ask + bid) / 2) if bid is not None and ask is not None and ask + bid else None


def _codes(feature: Any, events: Sequence[Accepted]) -> list[str]:
    return [code for code in (getattr(one.event, feature.code) for one in events) if code is not None]


def _distinct(feature: spec.Distinct, moment: Moment) -> float:
    return len(set(_codes(feature, [*moment.ring_window(feature.window), moment.current])))


def _unseen(feature: spec.Unseen, moment: Moment) -> float | None:
    code, earlier = getattr(moment.current.event, feature.code), moment.ring_window(feature.window)
    return None if code is None or not earlier else float(code not in _codes(feature, earlier))


def _first_time_share(feature: spec.FirstTimeShare, moment: Moment) -> float | None:
    met: set[str] = set()
    firsts = []
    within = moment.ring_window(feature.window)
    for one in [*(one for one in moment.ring if one.time <= moment.current.time), moment.current]:
        code = getattr(one.event, feature.code)
        if code is not None and (one in within or one is moment.current):
            firsts.append(code not in met)
        met.add(code)
    return mean(firsts) if firsts else None


def _since_last(_: spec.SinceLast, moment: Moment) -> float | None:
    if not moment.current.in_order or not moment.memory:
        return None
    return (moment.current.time - max(one.time for one in moment.memory)) / 1000


def _clock(feature: spec.Clock, moment: Moment) -> float:
    time = moment.current.time
    if feature.unit == "hour":
        turn = time % spec.DAY_MS / spec.DAY_MS
    else:
        turn = (time + 3 * spec.DAY_MS) % (7 * spec.DAY_MS) / (7 * spec.DAY_MS)  # 1970-01-01 was a Thursday
    angle = 2 * math.pi * turn
    return math.sin(angle) if feature.side == "sine" else math.cos(angle)


def _realised_volatility(feature: spec.RealisedVolatility, moment: Moment) -> float | None:
    returns = rolling_values(feature, moment)
    return math.sqrt(math.fsum(value * value for value in returns)) if returns else None


def _ewma_volatility(feature: spec.EwmaVolatility, moment: Moment) -> float | None:
    now = moment.current.numbers[feature.number]
    newest_first = [*([now] if now is not None else []), *reversed(moment.in_order_values(feature.number))]
    if not moment.current.in_order or not newest_first:
        return None
    weights = [feature.decay**age for age in range(len(newest_first))]
    weighed = [weight * value * value for weight, value in zip(weights, newest_first, strict=True)]
    return math.sqrt(math.fsum(weighed) / math.fsum(weights))


def _moving_average(feature: spec.MovingAverage, moment: Moment) -> float | None:
    now = moment.current.numbers[feature.number]
    if not moment.current.in_order or now is None or now <= 0:
        return None
    usual = mean([*moment.in_order_values(feature.number), now][-feature.events :])
    return log_of_ratio(now, usual) if usual > 0 else None


def _adaptive_moving_average(feature: spec.AdaptiveMovingAverage, moment: Moment) -> float | None:
    now = moment.current.numbers[feature.number]
    if not moment.current.in_order or now is None or now <= 0:
        return None
    values = [*moment.in_order_values(feature.number), now]
    fast, slow = 2 / (feature.fast + 1), 2 / (feature.slow + 1)
    average = values[0]
    for step in range(1, len(values)):
        recent = values[max(step - feature.events, 0) : step + 1]
        path = math.fsum(abs(after - before) for before, after in pairwise(recent))
        efficiency = abs(recent[-1] - recent[0]) / path if path > 0 else 0.0
        average += (efficiency * (fast - slow) + slow) ** 2 * (values[step] - average)
    return log_of_ratio(now, average) if average > 0 else None


def _range(feature: spec.Range, moment: Moment) -> float | None:
    now, values = moment.kept(feature.number, moment.current), rolling_values(feature, moment)
    return (max(values) - min(values)) / now if now else None


def _beyond(feature: spec.Beyond, moment: Moment) -> float | None:
    now = moment.kept(feature.number, moment.current)
    earlier = moment.values(feature.number, moment.window(feature.window))
    if now is None or not earlier:
        return None
    outside = max(now - max(earlier), min(earlier) - now)
    known = [*moment.values(feature.number, moment.window(feature.scale)), now]
    return outside / spread(known) if outside > 1e-9 * abs(mean(known)) and spread(known) > 0 else 0.0


def lifetime_values(feature: spec.Lifetime, moment: Moment) -> list[float] | None:
    """Values of a number in this life and currency, this event's included; None for the ninth currency and later ones."""
    events = [*moment.life, moment.current]
    kept = list(dict.fromkeys(map(moment.group, events)))[:8]
    return moment.values(str(feature.number), events) if moment.group(moment.current) in kept else None


def _lifetime(feature: spec.Lifetime, moment: Moment) -> float | None:
    time, life = moment.current.time, moment.life
    if not moment.current.in_order:
        return None
    now = [] if moment.asked else [moment.current]
    match feature.statistic:
        case "count":
            return len(life) + len(now)
        case "days":
            return len({one.time // spec.DAY_MS for one in [*life, *now] if one.in_order})
        case "age":
            return (time - min(one.time for one in [*life, *now])) / 1000 if life or now else None
        case "idle":
            return (time - max(one.time for one in life)) / 1000 if life else None
        case _:
            values = lifetime_values(feature, moment)
            return None if values is None else math.fsum(values)


DEFINITIONS: dict[type[Feature], Callable[[Any, Moment], float | None]] = {
    spec.Count: lambda feature, moment: len(moment.window(feature.window)) + 1,
    spec.Rolling: lambda feature, moment: STATISTICS[feature.statistic](rolling_values(feature, moment)),
    spec.Ratio: _ratio,
    spec.ZScore: _zscore,
    spec.Value: lambda feature, moment: moment.plain(feature.number),
    spec.Quotient: _quotient,
    spec.RelativeSpread: _relative_spread,
    spec.Distinct: _distinct,
    spec.Unseen: _unseen,
    spec.FirstTimeShare: _first_time_share,
    spec.SinceLast: _since_last,
    spec.Clock: _clock,
    spec.RealisedVolatility: _realised_volatility,
    spec.EwmaVolatility: _ewma_volatility,
    spec.MovingAverage: _moving_average,
    spec.AdaptiveMovingAverage: _adaptive_moving_average,
    spec.Range: _range,
    spec.Beyond: _beyond,
    spec.Lifetime: _lifetime,
}
