"""The last rows of a file as the test part: the honest cut where the order of the file is that of time."""

import numpy as np

from training.protocols.figures import Fold
from training.protocols.judging import outcomes_of
from training.protocols.outcome import Outcome
from training.protocols.protocol import Ground, Protocol
from training.protocols.reading import known_labels, read_dataset, scorer_of, taken, units_of
from training.protocols.rivals import scores_of


class LastShare(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="last_share"):
    """Labelled rows in the order of the file: first to learn from, then to stop and calibrate on, last to test on.

    Attributes:
        test_share, validation_share: shares of the labelled rows.
    """

    test_share: float = 0.2
    validation_share: float = 0.15

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """As `Protocol.run`."""
        scorer = scorer_of(self, name)
        dataset = read_dataset(self, ground, scorer)
        dataset = taken(dataset, np.flatnonzero(known_labels(dataset) >= 0))
        rows, labels = np.arange(len(dataset)), known_labels(dataset)
        first = round(len(rows) * (1 - self.test_share - self.validation_share))
        second = round(len(rows) * (1 - self.test_share))
        train, validation, test = rows[:first], rows[first:second], rows[second:]
        said = {}
        for rival in (*self.candidates, *self.baselines):
            for seed in self.seeds:
                ground.told(f"{rival}, seed {seed}")
                said[rival, seed] = scores_of(
                    scorer, rival, dataset, train=train, validation=validation, test=test, seed=seed
                )
        fold = Fold(
            labels[test].astype(np.float64), units_of(dataset, self.unit)[test], dataset.entity[test],
            dataset.occurred_at_ms[test], said,
        )  # fmt: skip
        return outcomes_of(self, [fold], name, sha256)


METHOD = LastShare
