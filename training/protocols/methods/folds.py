"""Cross-validation by rows: for tables of things that stand beside one another, without an order in time."""

import numpy as np
from numpy.typing import NDArray

from training.protocols.figures import Fold
from training.protocols.judging import outcomes_of
from training.protocols.outcome import Outcome
from training.protocols.protocol import Ground, Protocol
from training.protocols.reading import first_of_each, known_labels, read_dataset, scorer_of, taken, units_of
from training.protocols.rivals import scores_of

NOT_A_FOLD = -1


class Folds(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="folds"):
    """Stratified folds; each is the test part of models that learn from the others.

    Attributes:
        folds: how many.
        without_repeats: whether of rows with equal features only the first is kept.
        validation_share: share of a fold's training rows for stopping and calibrating.
    """

    folds: int = 10
    without_repeats: bool = True
    validation_share: float = 0.15

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """As `Protocol.run`; the folds are the same for every seed and model."""
        scorer = scorer_of(self, name)
        dataset = read_dataset(self, ground, scorer)
        if self.without_repeats:
            dataset = taken(dataset, first_of_each(dataset.rows))
        dataset = taken(dataset, np.flatnonzero(known_labels(dataset) >= 0))
        labels = known_labels(dataset)
        fold_of, unit = stratified(labels, self.folds, self.seeds[0]), units_of(dataset, self.unit)
        judged = []
        for fold in range(self.folds):
            test, learned = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
            held = stratified(labels[learned], round(1 / self.validation_share), self.seeds[0] + 1 + fold) == 0
            said = {}
            for rival in (*self.candidates, *self.baselines):
                for seed in self.seeds:
                    ground.told(f"fold {fold + 1} of {self.folds}: {rival}, seed {seed}")
                    said[rival, seed] = scores_of(
                        scorer, rival, dataset, train=learned[~held], validation=learned[held], test=test, seed=seed
                    )
            tested = taken(dataset, test)
            truth = labels[test].astype(np.float64)
            judged.append(Fold(truth, unit[test], tested.entity, tested.occurred_at_ms, said))
        return outcomes_of(self, judged, name, sha256)


def stratified(labels: NDArray[np.int8], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row, int64[n]: classes are dealt out evenly, in random order."""
    generator, found = np.random.default_rng(seed), np.full(len(labels), NOT_A_FOLD, np.int64)
    for value in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == value))
        found[rows] = np.arange(len(rows)) % folds
    return found


METHOD = Folds
