"""How long polls take: draws from the measured distributions, by number of records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

STAGES = ("compute", "produce", "commit", "cpu")


@dataclass(frozen=True, eq=False)
class PollTimes:
    """Measured quantiles of the stages of a poll.

    Attributes:
        sizes: records of the polls measured, ascending, float64[s].
        quantiles: at which the times are given, float64[q].
        seconds: by stage, float64[s, q].
    """

    sizes: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    seconds: Mapping[str, NDArray[np.float64]]

    @classmethod
    def of(cls, polls: Mapping[str, Any]) -> "PollTimes":
        """From the results of part `polls`."""
        by_size: Sequence[tuple[int, Mapping[str, Any]]] = sorted(
            (int(size), times) for size, times in polls["sizes"].items()
        )
        return cls(
            np.array([size for size, _ in by_size], np.float64),
            np.array(polls["quantiles"], np.float64),
            {stage: np.array([times[stage] for _, times in by_size]) / 1e3 for stage in STAGES},
        )

    def costing(self, cpu_us: float) -> "PollTimes":
        """The same with all computing as much slower as makes an event of the largest polls cost `cpu_us` on average.

        The polls are timed with states in the cache; those of a large population have to be read and unpacked.
        """
        largest = self.sizes[-1]
        factor = cpu_us * largest / 1e6 / float(np.trapezoid(self.seconds["cpu"][-1], self.quantiles))
        slower = {stage: self.seconds[stage] * factor for stage in ("compute", "cpu")}
        return PollTimes(self.sizes, self.quantiles, {**self.seconds, **slower})

    def draw(self, stage: str, records: int, chance: float) -> float:
        """Seconds of one poll.

        Args:
            chance: in [0, 1]; which of the possible times, 0 the shortest.
        """
        table = self.seconds[stage]
        above = int(np.searchsorted(self.sizes, records))
        if above == 0:
            times = table[0]
        elif above == len(self.sizes):
            times = table[-1] * (records / self.sizes[-1])
        else:
            low, high = self.sizes[above - 1], self.sizes[above]
            part = (records - low) / (high - low)
            times = table[above - 1] * (1 - part) + table[above] * part
        return float(np.interp(chance, self.quantiles, times))
