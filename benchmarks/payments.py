"""Seeded payments that look like a bank's: skewed accounts with habits of their own, a few odd payments and refunds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

BLOCK_EVENTS = 50_000
FIRST_MS = 1_704_067_200_000
"""Event time of payment 0, 2024-01-01: the past, so that no payment lies in the broker's future."""

SPACING_MS = 2_000
"""20,000 accounts then pay 2.2 times a day each, as those of the development cards do."""

FLAT_TOP = 20.0
"""So many of the most popular accounts are about as popular as each other."""

MERCHANTS = 5_000
OWN_MERCHANTS = 12
COUNTRIES = ("DE", "FR", "IT", "ES", "NL", "AT", "GB", "US")
CURRENCIES = ("EUR", "EUR", "EUR", "EUR", "EUR", "EUR", "GBP", "USD")
COUNTRY_SHARES = (0.28, 0.2, 0.14, 0.11, 0.08, 0.04, 0.1, 0.05)
CATEGORIES = (
    "groceries",
    "restaurants",
    "transport",
    "fuel",
    "clothing",
    "electronics",
    "travel",
    "utilities",
)
CHANNELS = ("card-present", "card-online", "transfer", "direct-debit")
CHANNEL_SHARES = (0.55, 0.3, 0.1, 0.05)
ODD_SHARE = 0.002
REFUND_SHARE = 0.01


@dataclass(frozen=True)
class Payments:
    """An endless list of payments; the same seed and number of accounts give the same list.

    The account of popularity rank r pays in proportion to `(r + 20) ** -skew`: of 20,000 the busiest makes one
    payment in 200. Where accounts share habits, 20 stands for accounts
    of 20 different ones: any population then has the same curve, only with more accounts on it.

    Attributes:
        first_ms: event time of payment 0; spacing_ms: from one payment to the next.
        skew: 0.0 makes all accounts pay as often.
        hot_share: of all payments, those that the first account makes; as popular as its rank says when 0.0.
        habits: how many different habits there are, shared by accounts that are neighbours in popularity; each account
            has its own when 0.
    """

    seed: int
    accounts: int
    first_ms: int = FIRST_MS
    spacing_ms: int = SPACING_MS
    skew: float = 0.9
    hot_share: float = 0.0
    habits: int = 0

    def frames(self, count: int, *, first_block: int = 0) -> Iterator[pl.DataFrame]:
        """The first `count` payments from a block on, as frames of at most `BLOCK_EVENTS` rows in order of time."""
        number = first_block
        while count > 0:
            yield self.block(number).head(count)
            count, number = count - BLOCK_EVENTS, number + 1

    def block(self, number: int) -> pl.DataFrame:
        """Payments `number * BLOCK_EVENTS` and following; columns are fields of `Transaction`."""
        draw = np.random.default_rng([self.seed, 1, number])
        habits, n = self._habits, BLOCK_EVENTS
        account = np.searchsorted(habits.shares, draw.random(n), side="right").clip(max=self.accounts - 1)
        odd, refund = draw.random(n) < ODD_SHARE, draw.random(n) < REFUND_SHARE
        kind = self.habit_of(account)
        amount = np.exp(habits.level[kind] + draw.normal(0, 0.6, n)) * np.where(odd, 20.0, 1.0)
        home = habits.country[kind]
        country = np.where(odd | (draw.random(n) < 0.01), draw.integers(0, len(COUNTRIES), n), home)
        merchant = habits.merchants[kind, draw.integers(0, OWN_MERCHANTS, n)]
        merchant = np.where(odd | (draw.random(n) < 0.1), draw.integers(0, MERCHANTS, n), merchant)
        place = np.arange(number * n, (number + 1) * n)
        return pl.DataFrame(
            {
                "event_id": _numbered("p", place, 12),
                "occurred_at_ms": self.first_ms + self.spacing_ms * place,
                "account_id": account_names(account),
                "amount": np.round(np.where(refund, -amount, amount), 2),
                "currency": pl.Series(CURRENCIES).gather(home),
                "merchant_id": _numbered("merchant-", merchant, 6),
                "category": pl.Series(CATEGORIES).gather(merchant % len(CATEGORIES)),
                "channel": pl.Series(CHANNELS).gather(draw.choice(len(CHANNELS), n, p=CHANNEL_SHARES)),
                "country": pl.Series(COUNTRIES).gather(country),
                "balance": np.round(habits.balance[kind] * draw.uniform(0.5, 1.5, n), 2),
            }
        )

    def habit_of(self, account: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the habits of each account, int64[n]; with as many habits of any population."""
        return account * (self.habits or self.accounts) // self.accounts

    @cached_property
    def _habits(self) -> "_Habits":
        draw = np.random.default_rng([self.seed, 0])
        count = self.habits or self.accounts
        weights = (np.arange(self.accounts) + FLAT_TOP * self.accounts / count) ** -self.skew
        if self.hot_share:
            weights[0] = self.hot_share / (1 - self.hot_share) * weights[1:].sum()
        return _Habits(
            shares=np.cumsum(weights / weights.sum()),
            level=draw.normal(3.3, 0.7, count),
            country=draw.choice(len(COUNTRIES), count, p=COUNTRY_SHARES),
            merchants=draw.integers(0, MERCHANTS, (count, OWN_MERCHANTS)),
            balance=np.exp(draw.normal(8.0, 1.0, count)),
        )


@dataclass(frozen=True, eq=False)
class _Habits:
    """Cumulative share of the payments per account; per habit mean logarithm of the amount, home, merchants, balance."""

    shares: NDArray[np.float64]
    level: NDArray[np.float64]
    country: NDArray[np.int64]
    merchants: NDArray[np.int64]
    balance: NDArray[np.float64]


def account_names(numbers: NDArray[np.int64]) -> pl.Series:
    """What the accounts of these popularity ranks are called, in the order given."""
    return _numbered("account-", numbers, 7)


def _numbered(start: str, numbers: NDArray[np.int64], digits: int) -> pl.Series:
    return start + pl.Series(numbers).cast(pl.String).str.zfill(digits)
