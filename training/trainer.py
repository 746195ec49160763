"""What a trainer is: a named recipe from vectors to a model that scores; found by the name of its file."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray

import training.trainers
from schemas.score import ScoreKind
from scoring.features.spec import FeatureView
from scoring.model.manifest import (
    EXPLAIN_FILE,
    MODEL_FILE,
    OUTPUTS_FILE,
    Contributions,
    Input,
    NamedOutput,
)
from scoring.model.rows import Rows
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.loop import Curve, Report


@dataclass(frozen=True, eq=False)
class Part:
    """Rows to learn from, and rows to stop and to calibrate on.

    Attributes:
        train_labels, validation_labels: 1, 0, or -1 where the truth is unknown, int8[n]; None where nobody knows any.
    """

    train: Rows
    validation: Rows
    train_labels: NDArray[np.int8] | None = None
    validation_labels: NDArray[np.int8] | None = None

    def labelled(self) -> "Part":
        """Only the rows whose truth is known.

        Raises:
            TrainingRefused: there are no labels, or not both classes in both parts.
        """
        if self.train_labels is None or self.validation_labels is None:
            raise TrainingRefused("this trainer learns from labels; give a mapping with `label`")
        train, validation = self.train_labels >= 0, self.validation_labels >= 0
        part = Part(
            self.train.take(np.flatnonzero(train)), self.validation.take(np.flatnonzero(validation)),
            self.train_labels[train], self.validation_labels[validation],
        )  # fmt: skip
        for name, labels in (("train", part.train_labels), ("validation", part.validation_labels)):
            assert labels is not None
            if not (labels == 1).any() or not (labels == 0).any():
                raise TrainingRefused(
                    f"the {name} part has {int((labels == 1).sum())} of label 1 and {int((labels == 0).sum())} of "
                    "label 0; give more events, so that both have both"
                )
        return part


class Model(Protocol):
    """A trained model, before it is a bundle."""

    def graphs(self, rows: Rows, signature: str) -> tuple[bytes, bytes | None]:
        """The scoring and the explaining graph as bytes of ONNX files; the same for the same model.

        Args:
            rows: a few, to trace the graph with.
            signature: of the ordered inputs, which the graphs' metadata will say.
        """

    def scores(self, rows: Rows) -> NDArray[np.float32]:
        """What the scoring graph has to give for these rows, float32[n]."""

    def contributions(self, rows: Rows) -> NDArray[np.float32] | None:
        """What the explaining graph has to give, float32[n, F]; None without one."""


class SpeakingModel(Model, Protocol):
    """A trained model that says more than a score."""

    def outputs_graph(self, rows: Rows, signature: str) -> bytes:
        """The graph of the named outputs as bytes of an ONNX file; arguments as of `graphs`."""

    def outputs(self, rows: Rows) -> NDArray[np.float32]:
        """What that graph has to give for these rows, float32[n, W]."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A calibrated model and how it got there.

    Attributes:
        curve: None for a model that is not trained by steps.
        squared_error: mean squared error per row of given rows, float32[n]; what it is of is the trainer's `error`.
    """

    model: Model
    curve: Curve | None
    squared_error: Callable[[Rows, NDArray[np.int8] | None], NDArray[np.float32]]


@dataclass(frozen=True)
class Trainer:
    """A declaration in `training/trainers/NAME.py`, as `TRAINER`.

    Args:
        inputs: what the model reads.
        meaning: what its score means, a sentence for people; of a probability with `{outcome}`, which the scorer names.
        contributions: how it explains itself; None for one that does not.
        error: name of the squared error it reports.
        defaults: its configuration when nothing else is asked for.
        fit: trains and calibrates on a part.
        score_kind: `tail`, or `probability` of label 1.
        supervised: whether it learns from labels; one that does not never sees any.
        outputs: what its models say beside the score; they have an `outputs_graph` then.
    """

    inputs: tuple[Input, ...]
    meaning: str
    contributions: Contributions | None
    error: str
    defaults: TrainingConfig
    fit: Callable[[FeatureView, Part, TrainingConfig, Report], Trained]
    score_kind: ScoreKind = "tail"
    supervised: bool = False
    outputs: tuple[NamedOutput, ...] = ()

    def meaning_of(self, outcome: str) -> str:
        """What the score means where label 1 is this outcome.

        >>> trainer_named("boosting").meaning_of("default in the next month")
        'the probability of default in the next month, as the classifier learned it from labels'
        """
        return self.meaning.format(outcome=outcome)


def graph_files(model: Model, trainer: Trainer, rows: Rows, signature: str) -> dict[str, bytes]:
    """The graphs of a trained model by the names of their files.

    Args:
        rows: a few, to trace the graphs with.
        signature: of the ordered inputs.
    """
    scoring, explaining = model.graphs(rows, signature)
    files = {MODEL_FILE: scoring} | ({} if explaining is None else {EXPLAIN_FILE: explaining})
    if not trainer.outputs:
        return files
    return files | {OUTPUTS_FILE: cast(SpeakingModel, model).outputs_graph(rows, signature)}


def trainer_named(name: str) -> Trainer:
    """The trainer of this name.

    Raises:
        TrainingRefused: no file of `training/trainers/` has the name, or it declares no `TRAINER`.
    """
    known = sorted(module.name for module in pkgutil.iter_modules(training.trainers.__path__))
    if name not in known:
        raise TrainingRefused(f"trainer {name!r} is unknown; training/trainers/ has {', '.join(known)}")
    declared = getattr(importlib.import_module(f"training.trainers.{name}"), "TRAINER", None)
    if not isinstance(declared, Trainer):
        raise TrainingRefused(f"training/trainers/{name}.py declares no TRAINER; add one")
    return declared


def tensors(rows: Rows, names: tuple[str, ...]) -> tuple[torch.Tensor, ...]:
    """The named inputs of these rows as tensors that share their memory.

    Args:
        names: among `features`, `history`, `lengths`.
    """
    return tuple(torch.from_numpy(np.ascontiguousarray(getattr(rows, name))) for name in names)


def in_parts(rows: Rows, size: int = 16_384) -> list[Rows]:
    """The rows cut into parts that fit into memory with all their intermediate values."""
    return [rows.take(slice(start, start + size)) for start in range(0, max(1, len(rows)), size)]
