"""Rows a model is tried on before it may score: usual, extreme and missing values, and long drawn batches."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.model.manifest import QUANTILES, Manifest

SEED = 20_240_229
HUGE = 1e30


@dataclass(frozen=True, eq=False)
class Rows:
    """Inputs of a model, one row an event.

    Attributes:
        features: float32[n, F], NaN where missing.
        history: float32[n, T, Fh], oldest first, NaN after the last step; None when the model takes none.
        lengths: int32[n], valid steps of `history`; None like it.
    """

    features: NDArray[np.float32]
    history: NDArray[np.float32] | None = None
    lengths: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.features)

    def take(self, rows: NDArray[np.int64] | slice) -> "Rows":
        """Only these rows, in this order."""
        return Rows(
            np.ascontiguousarray(self.features[rows]),
            None if self.history is None else np.ascontiguousarray(self.history[rows]),
            None if self.lengths is None else np.ascontiguousarray(self.lengths[rows]),
        )


def probe_rows(manifest: Manifest) -> Rows:
    """Rows any event could give: the baseline's quantiles, nothing known, huge values, no history."""
    table = _baseline(manifest)  # (quantile, feature)
    width = len(manifest.features)
    alternating = np.where(np.arange(width) % 2 == 0, HUGE, -HUGE)
    extremes = [np.full(width, value) for value in (np.nan, 0.0, HUGE, -HUGE, 1.0, -1.0)]
    features = np.vstack(
        [table, *extremes, alternating, np.where(np.arange(width) % 2 == 0, np.nan, table[3])]
    )
    return _with_history(manifest, features, lengths=None)


def drawn_rows(manifest: Manifest, count: int) -> Rows:
    """`count` seeded rows between the baseline's quantiles and somewhat beyond, a tenth of it missing."""
    generator = np.random.default_rng(SEED)
    table = _baseline(manifest)
    place = generator.uniform(0, len(QUANTILES) - 1, (count, table.shape[1]))
    lower = np.minimum(place.astype(int), len(QUANTILES) - 2)
    column = np.arange(table.shape[1])
    low, high = table[lower, column], table[lower + 1, column]
    features = low + (place - lower) * (high - low) + generator.normal(0, 0.1, place.shape)
    features[generator.random(features.shape) < 0.1] = np.nan
    lengths = generator.integers(0, manifest.history_length + 1, count) if manifest.history_length else None
    return _with_history(manifest, features, lengths=lengths)


def _baseline(manifest: Manifest) -> NDArray[np.float64]:
    unknown = (0.0,) * len(QUANTILES)
    columns = [[value or 0.0 for value in manifest.baseline.get(name, unknown)] for name in manifest.features]
    return np.array(columns, np.float64).T


def _with_history(
    manifest: Manifest, features: NDArray[np.float64], lengths: NDArray[np.int64] | None
) -> Rows:
    vectors = features.astype(np.float32)
    if "history" not in manifest.inputs:
        return Rows(vectors)
    steps, places = (
        manifest.history_length,
        [manifest.features.index(name) for name in manifest.history_features],
    )
    if lengths is None:  # every probe with no step, one, some and all of them
        choices = np.array(sorted({0, 1, min(2, steps), steps}))
        vectors, lengths = np.repeat(vectors, len(choices), axis=0), np.tile(choices, len(vectors))
    history = np.full((len(vectors), steps, len(places)), np.nan, np.float32)
    own = vectors[:, places]
    for row, length in enumerate(lengths):
        past = own[(row - np.arange(length)[::-1]) % len(own)]  # the vectors of the rows before, its own last
        history[row, :length] = past
    return Rows(vectors, history, lengths.astype(np.int32))
