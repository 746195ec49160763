"""Week by week, as a bank would live it: learn, wait until labels are known, be judged on what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.event import EventType
from scoring.catalog import scorers
from scoring.files import Chunk, read_events, read_mapping
from scoring.files.mapping import Mapping
from scoring.scorer import Scorer
from training.dataset import Dataset, collect
from training.errors import TrainingRefused
from training.protocols.balances import with_balances
from training.protocols.figures import Fold
from training.protocols.judging import outcomes_of
from training.protocols.log import Log, log_of
from training.protocols.outcome import Outcome
from training.protocols.plain_rules import RULES
from training.protocols.protocol import Ground, Protocol
from training.protocols.reading import scorer_of
from training.protocols.rivals import scores_of
from training.trainer import trainer_named

DAY_MS = 86_400_000


class Prequential(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="prequential"):
    """Folds that step back from the last day; in each, days to learn from, days of delay, days to be judged on.

    Features are folded over all earlier events; only the rows to learn from are cut. An entity is left out of the test
    from the day on which a fraud of the learning days, or of a later day, has become known.
    Source: Le Borgne, Siblini, Lebichot, Bontempi 2022, "Reproducible machine learning for credit card fraud detection".

    Attributes:
        fold_count: how many; step_days: apart.
        train_days, delay_days, test_days: of each fold.
        skip_days: days at the end that no fold touches; for choosing settings without the days that judge them.
        validation_share: share of the entities whose learning rows are for stopping and calibrating.
        over: models that read the view of another scorer than `scorer`, with that scorer's name.
        balances: the one of the files that says what every account began with; for events that come without a balance.
    """

    fold_count: int = 4
    step_days: int = 7
    train_days: int = 7
    delay_days: int = 7
    test_days: int = 7
    skip_days: int = 0
    validation_share: float = 0.15
    over: dict[str, str] = msgspec.field(default_factory=dict)
    balances: str = ""

    def run(self, ground: Ground, name: str, sha256: str) -> list[Outcome]:
        """As `Protocol.run`; the folds are the same for every seed and model.

        Raises:
            TrainingRefused: labels are known later than the delay of the folds, the events span too few days, or the
                file of balances is not among those given.
        """
        mapping = read_mapping(ground.map_ or self.map)
        if mapping.label_delay_ms > self.delay_days * DAY_MS:
            raise TrainingRefused(
                f"{name}: labels are known after {mapping.label_delay} and a fold waits {self.delay_days} days; "
                "make delay_days at least as long"
            )
        named = {model: self._scorer(model, name) for model in (*self.candidates, *self.baselines) if model not in RULES}
        chunks = self._chunks(ground, mapping, scorer_of(self, name).event)
        log = log_of(chunks, scorer_of(self, name).event.key, mapping.label_delay_ms)
        folds = cuts_of(log, self)
        ground.told("folding the features")
        datasets = self._datasets(named, chunks, since_ms=folds[-1].train_from_ms)
        judged = []
        for number, cut in enumerate(folds):
            held = held_out(log, cut, self.validation_share, seed=self.seeds[0] + number)
            test = test_rows(log, cut)
            said = {}
            for model in (*self.candidates, *self.baselines):
                for seed in self.seeds:
                    ground.told(f"fold {number + 1} of {len(folds)}: {model}, seed {seed}")
                    if model in RULES:
                        said[model, seed] = RULES[model](log)[test]
                        continue
                    scorer = named[model]
                    dataset = datasets[scorer.name]
                    said[model, seed] = scores_of(
                        scorer, model, dataset, train=rows_of(dataset, learning_rows(log, cut) & ~held),
                        validation=rows_of(dataset, held), test=rows_of(dataset, _marked(test, log)), seed=seed,
                    )  # fmt: skip
            truth = log.labels[test].astype(np.float64)
            judged.append(Fold(truth, self._unit(log)[test], log.entity[test], log.occurred_at_ms[test], said))
        return outcomes_of(self, judged, name, sha256)

    def _scorer(self, model: str, name: str) -> Scorer:
        """The scorer whose view a model reads."""
        wanted = self.over.get(model, self.scorer)
        if wanted not in scorers():
            raise TrainingRefused(f"{name}: scorer {wanted!r} is unknown; known are {', '.join(scorers())}")
        return scorers()[wanted]

    def _chunks(self, ground: Ground, mapping: Mapping, event: EventType) -> list[Chunk]:
        """The events, with balances where a file of them is named."""
        begun = [file for file in ground.files if file.name == self.balances]
        if self.balances and not begun:
            raise TrainingRefused(f"no file is {self.balances}; give it beside the events, as --events")
        chunks = list(read_events([file for file in ground.files if file not in begun], mapping, event))
        return with_balances(chunks, begun[0]) if begun else chunks

    def _datasets(self, named: dict[str, Scorer], chunks: Sequence[Chunk], *, since_ms: int) -> dict[str, Dataset]:
        """Per scorer its rows from the first that any fold learns from; what came before is in their features."""
        found = {}
        for scorer in {scorer.name: scorer for scorer in named.values()}.values():
            readers = [model for model, by in named.items() if by.name == scorer.name]
            with_history = any("history" in trainer_named(model).inputs for model in readers)
            found[scorer.name] = collect(scorer.view, chunks, with_history=with_history, since_ms=since_ms)
        return found

    def _unit(self, log: Log) -> NDArray[np.int64]:
        if self.unit == "entity":
            return log.entity
        return np.arange(len(log.entity)) if self.unit == "row" else log.occurred_at_ms // DAY_MS


@dataclass(frozen=True)
class Cut:
    """One fold's bounds in event time; each part begins where the one before ends, but for the delay."""

    train_from_ms: int
    train_to_ms: int
    test_from_ms: int
    test_to_ms: int


def cuts_of(log: Log, protocol: Prequential) -> list[Cut]:
    """The folds, the latest first; days are those of UTC.

    Raises:
        TrainingRefused: the earliest fold would begin before the first event.
    """
    end = (int(log.occurred_at_ms[log.labels >= 0].max()) // DAY_MS + 1 - protocol.skip_days) * DAY_MS
    found = []
    for number in range(protocol.fold_count):
        test_to = end - number * protocol.step_days * DAY_MS
        test_from = test_to - protocol.test_days * DAY_MS
        train_to = test_from - protocol.delay_days * DAY_MS
        found.append(Cut(train_to - protocol.train_days * DAY_MS, train_to, test_from, test_to))
    first = int(log.occurred_at_ms.min()) // DAY_MS * DAY_MS
    if found[-1].train_from_ms < first:
        missing = (first - found[-1].train_from_ms) // DAY_MS
        raise TrainingRefused(
            f"the folds reach {missing} days further back than the events; give more, or make fewer folds"
        )
    return found


def learning_rows(log: Log, cut: Cut) -> NDArray[np.bool_]:
    """Labelled events of a fold's learning days, bool[n]; all of their labels are known when the test begins."""
    at = log.occurred_at_ms
    inside = (at >= cut.train_from_ms) & (at < cut.train_to_ms) & (log.labels >= 0)
    return inside & (at + log.delay_ms <= cut.test_from_ms)


def held_out(log: Log, cut: Cut, share: float, *, seed: int) -> NDArray[np.bool_]:
    """Of the learning rows, those of the entities drawn for validation, bool[n]."""
    learned = learning_rows(log, cut)
    entities = np.unique(log.entity[learned])
    drawn = np.random.default_rng(seed).permutation(entities)[: round(share * len(entities))]
    return learned & np.isin(log.entity, drawn)


def test_rows(log: Log, cut: Cut) -> NDArray[np.int64]:
    """Labelled events of a fold's test days, but those of entities known to be compromised by then, int64[m].

    Known is on a day what was struck from the first learning day on and whose label is known when the day begins.
    """
    at = log.occurred_at_ms
    struck = (log.labels == 1) & (at >= cut.train_from_ms)
    known_from = np.full(int(log.entity.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(known_from, log.entity[struck], at[struck] + log.delay_ms)
    inside = (at >= cut.test_from_ms) & (at < cut.test_to_ms) & (log.labels >= 0)
    return np.flatnonzero(inside & (known_from[log.entity] > at // DAY_MS * DAY_MS))


def rows_of(dataset: Dataset, wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rows of a data set that are these events of the log, int64[m].

    Raises:
        TrainingRefused: one of them has no row: it is a duplicate, or was refused.
    """
    assert dataset.place is not None
    found = np.flatnonzero(wanted[dataset.place])
    if len(found) != int(wanted.sum()):
        raise TrainingRefused(
            f"{int(wanted.sum()) - len(found)} events were not scored, as duplicates; leave them out"
        )
    return found


def _marked(rows: NDArray[np.int64], log: Log) -> NDArray[np.bool_]:
    found = np.zeros(len(log.entity), bool)
    found[rows] = True
    return found


METHOD = Prequential
