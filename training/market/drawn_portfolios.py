"""Portfolios drawn from a list of symbols by a seed, so that there are many to judge forecasts by."""

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from training.errors import TrainingRefused
from training.market.portfolios import COLUMNS

_DECIMALS = 4


class Drawn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which portfolios are drawn; nobody looks at prices for it.

    Attributes:
        seed: of the draw.
        long_only: how many with weights that are uniform over all that add up to 1.
        long_short: how many with such weights, and as many of other symbols that add up to -1.
        members: the least and the greatest number of symbols on a side.
        equal: whether one of all symbols with equal weights comes first.
    """

    seed: int
    long_only: int
    long_short: int
    members: tuple[int, int]
    equal: bool = True


def drawn_weights(symbols: Sequence[str], drawn: Drawn) -> pl.DataFrame:
    """The weights of the portfolios, `portfolio_id`, `symbol`, `weight`; the same for the same symbols in any order.

    Raises:
        TrainingRefused: there are too few symbols for two sides.
    """
    names, generator = sorted(symbols), np.random.default_rng(drawn.seed)
    least, most = drawn.members
    if len(names) < (2 if drawn.long_short else 1) * most or not 1 <= least <= most:
        raise TrainingRefused(f"{len(names)} symbols do not suffice for portfolios of {least} to {most} on a side")
    rows: list[tuple[str, str, float]] = []
    if drawn.equal:
        rows += [("equal", name, 1 / len(names)) for name in names]
    for number in range(drawn.long_only + drawn.long_short):
        sides = (1.0,) if number < drawn.long_only else (1.0, -1.0)
        kind = "long" if number < drawn.long_only else "long-short"
        count = int(generator.integers(least, most + 1))
        chosen = generator.permutation(len(names))[: count * len(sides)]
        for side, own in zip(sides, chosen.reshape(len(sides), count), strict=True):
            shares = np.maximum(np.round(generator.dirichlet(np.ones(count)), _DECIMALS), 10.0**-_DECIMALS)
            rows += [(f"{kind}-{number + 1:02}", names[at], side * share) for at, share in zip(own, shares, strict=True)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")
