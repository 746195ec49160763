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

    The account of popularity rank r pays in proportion to `(r + 20) ** -0.9`: of 20,000 the busiest makes one
    payment in 200.
    """

    seed: int
    accounts: int

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
        amount = np.exp(habits.level[account] + draw.normal(0, 0.6, n)) * np.where(odd, 20.0, 1.0)
        home = habits.country[account]
        country = np.where(odd | (draw.random(n) < 0.01), draw.integers(0, len(COUNTRIES), n), home)
        merchant = habits.merchants[account, draw.integers(0, OWN_MERCHANTS, n)]
        merchant = np.where(odd | (draw.random(n) < 0.1), draw.integers(0, MERCHANTS, n), merchant)
        place = np.arange(number * n, (number + 1) * n)
        return pl.DataFrame(
            {
                "event_id": _numbered("p", place, 12),
                "occurred_at_ms": FIRST_MS + SPACING_MS * place,
                "account_id": _numbered("account-", account, 7),
                "amount": np.round(np.where(refund, -amount, amount), 2),
                "currency": pl.Series(CURRENCIES).gather(home),
                "merchant_id": _numbered("merchant-", merchant, 6),
                "category": pl.Series(CATEGORIES).gather(merchant % len(CATEGORIES)),
                "channel": pl.Series(CHANNELS).gather(draw.choice(len(CHANNELS), n, p=CHANNEL_SHARES)),
                "country": pl.Series(COUNTRIES).gather(country),
                "balance": np.round(habits.balance[account] * draw.uniform(0.5, 1.5, n), 2),
            }
        )

    @cached_property
    def _habits(self) -> "_Habits":
        draw = np.random.default_rng([self.seed, 0])
        weights = (np.arange(self.accounts) + 20.0) ** -0.9
        return _Habits(
            shares=np.cumsum(weights / weights.sum()),
            level=draw.normal(3.3, 0.7, self.accounts),
            country=draw.choice(len(COUNTRIES), self.accounts, p=COUNTRY_SHARES),
            merchants=draw.integers(0, MERCHANTS, (self.accounts, OWN_MERCHANTS)),
            balance=np.exp(draw.normal(8.0, 1.0, self.accounts)),
        )


@dataclass(frozen=True, eq=False)
class _Habits:
    """Per account: cumulative share of the payments, mean logarithm of the amount, home, merchants, balance."""

    shares: NDArray[np.float64]
    level: NDArray[np.float64]
    country: NDArray[np.int64]
    merchants: NDArray[np.int64]
    balance: NDArray[np.float64]


def _numbered(start: str, numbers: NDArray[np.int64], digits: int) -> pl.Series:
    return start + pl.Series(numbers).cast(pl.String).str.zfill(digits)
