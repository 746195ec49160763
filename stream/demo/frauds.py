"""Frauds for the demo: drawn with a seed, put among the real payments, and marked as injected.

Online Retail has no fraud labels. To show that the scorer finds something whose truth is known, the demo
adds a few episodes of four kinds that are described in the literature of payment fraud. They are written
down here from what such frauds look like, before any score is seen; no threshold and no model is made from
them, and the seed of the demo is used nowhere in training.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

DEMO_SEED = 20_111_209
"""Draws the frauds of the demo."""

TRAINING_SEED = 7
"""What `make train` seeds training with; stated here so that a test can hold the two apart."""

PREFIX = "INJECTED-"
KINDS = ("takeover", "outlier", "abroad", "refunds")
LEAST_HISTORY = 5
"""Real payments of an account before a fraud is put on it; below that there is nothing to deviate from."""

ZONE = ZoneInfo("Europe/London")
MINUTE_MS = 60_000
DAY_MS = 86_400_000


@dataclass(frozen=True, kw_only=True)
class Victim:
    """An account as it stood after one of its purchases: what the fraud that follows deviates from.

    Attributes:
        last_ms: event time of that purchase.
        mean: mean of its positive amounts up to then, in `currency`, above 0.
        countries: where it has paid from up to then.
    """

    account_id: str
    last_ms: int
    mean: float
    currency: str
    channel: str
    countries: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Payment:
    """One injected payment before it has an id: event time, amount (negative for a refund) and country."""

    occurred_at_ms: int
    amount: float
    country: str


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How an episode looks: so many events within `minutes` from about `hour` o'clock on, in `country`.

    Attributes:
        least, most: bounds of an amount as a multiple of the account's mean; negative for refunds.
    """

    events: int
    minutes: int
    least: float
    most: float
    hour: int
    country: str


def inject(payments: pl.DataFrame, seed: int, count: int) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The payments with `count` fraud episodes put in at their times, and the ids of the injected events.

    Each episode is on an account of its own, after at least `LEAST_HISTORY` payments of it in the frame,
    and holds one to eight events. The kinds take turns, so they are equally frequent. The same arguments
    give the same result.

    Args:
        payments: the columns of `payments_demo.parquet`, by time.
        seed: draws accounts, times and amounts; the demo uses `DEMO_SEED`.
        count: episodes to put in.

    Raises:
        ValueError: fewer than `count` accounts have enough history.
    """
    draw = random.Random(seed)
    victims = _victims(payments, draw, count)
    everywhere = sorted(set(payments["country"].drop_nulls()))
    rows: list[dict[str, object]] = []
    for episode, victim in enumerate(victims):
        kind = KINDS[episode % len(KINDS)]
        for number, payment in enumerate(_episode(kind, victim, everywhere, draw)):
            rows.append(
                {
                    "event_id": f"{PREFIX}{episode:03d}-{kind}-{number}",
                    "occurred_at_ms": payment.occurred_at_ms,
                    "account_id": victim.account_id,
                    "amount": round(payment.amount, 2),
                    "currency": victim.currency,
                    "channel": victim.channel,
                    "country": payment.country,
                }
            )
    injected = pl.DataFrame(rows, schema=payments.schema)
    together = pl.concat([payments, injected]).sort("occurred_at_ms", maintain_order=True)
    return together, tuple(injected["event_id"])


def episode_of(event_id: str) -> str | None:
    """The episode an injected event belongs to, for example `INJECTED-003-refunds`; None for a real event.

    A fraud counts as found when at least one event of its episode is alerted.

    >>> episode_of("INJECTED-003-refunds-2")
    'INJECTED-003-refunds'
    >>> episode_of("565080") is None
    True
    """
    return event_id.rpartition("-")[0] if event_id.startswith(PREFIX) else None


def _victims(payments: pl.DataFrame, draw: random.Random, count: int) -> list[Victim]:
    by_account = payments.sort("occurred_at_ms", maintain_order=True).partition_by(
        "account_id", as_dict=True, maintain_order=True
    )
    eligible = sorted(
        account for (account,), rows in by_account.items() if (rows["amount"] > 0).sum() > LEAST_HISTORY
    )
    if len(eligible) < count:
        raise ValueError(
            f"cannot inject {count} frauds: only {len(eligible)} accounts have more than "
            f"{LEAST_HISTORY} purchases; ask for fewer or give more payments"
        )
    return [_victim(by_account[(account,)], draw) for account in draw.sample(eligible, count)]


def _victim(rows: pl.DataFrame, draw: random.Random) -> Victim:
    """An account cut at a random purchase: not before its fifth, and not its last."""
    purchases = rows.with_row_index("place").filter(pl.col("amount") > 0)
    cut = draw.randrange(LEAST_HISTORY - 1, purchases.height - 1)
    before = rows.head(int(purchases["place"][cut]) + 1)
    bought = before.filter(pl.col("amount") > 0)["amount"]
    return Victim(
        account_id=str(before["account_id"][0]),
        last_ms=int(before["occurred_at_ms"][-1]),
        mean=float(bought.sum()) / len(bought),
        currency=str(before["currency"][-1]),
        channel=str(before["channel"][-1]),
        countries=frozenset(before["country"].drop_nulls()),
    )


def _episode(kind: str, victim: Victim, everywhere: list[str], draw: random.Random) -> Iterator[Payment]:
    home = min(victim.countries)
    match kind:
        case "takeover":  # a stolen login is emptied in half an hour while its owner sleeps
            shape = Shape(events=draw.randint(5, 8), minutes=30, least=3, most=10, hour=2, country=home)
        case "outlier":  # one payment far beyond anything the account has paid
            shape = Shape(events=1, minutes=1, least=10, most=50, hour=14, country=home)
        case "abroad":  # a copied card is used where the account has never been
            foreign = draw.choice([country for country in everywhere if country not in victim.countries])
            shape = Shape(events=draw.randint(2, 4), minutes=120, least=5, most=15, hour=20, country=foreign)
        case "refunds":  # money is drawn out as refunds of things never bought
            shape = Shape(events=draw.randint(4, 6), minutes=60, least=-6, most=-2, hour=11, country=home)
        case _:
            raise ValueError(f"unknown kind of fraud {kind!r}; known are {', '.join(KINDS)}")
    return _series(victim, shape, draw)


def _series(victim: Victim, shape: Shape, draw: random.Random) -> Iterator[Payment]:
    """The payments of one episode, on the day after the account's last payment or the next one."""
    day = datetime.fromtimestamp((victim.last_ms + DAY_MS) / 1_000, ZONE).date()
    begin = datetime(day.year, day.month, day.day, shape.hour, draw.randint(0, 59), tzinfo=ZONE)
    begin_ms = round(begin.timestamp() * 1_000)
    begin_ms += DAY_MS if begin_ms <= victim.last_ms else 0
    for after_ms in sorted(draw.randint(0, shape.minutes * MINUTE_MS) for _ in range(shape.events)):
        amount = victim.mean * draw.uniform(shape.least, shape.most)
        yield Payment(occurred_at_ms=begin_ms + after_ms, amount=amount, country=shape.country)
