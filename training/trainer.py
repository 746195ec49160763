"""What a trainer is: a named recipe from vectors to a model that scores; found by the name of its file."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import training.trainers
from scoring.features.spec import FeatureView
from scoring.model.manifest import Contributions, Input
from scoring.model.rows import Rows
from training.config import TrainingConfig
from training.errors import TrainingRefused
from training.loop import Curve, Report


@dataclass(frozen=True, eq=False)
class Part:
    """Rows to learn from, and rows to stop and to calibrate on."""

    train: Rows
    validation: Rows


@dataclass(frozen=True, eq=False)
class Trained:
    """A calibrated model and how it got there.

    Attributes:
        model: its `forward` gives scores, its `contributions` explain them; inputs as the trainer says.
        squared_error: mean squared standardised error per row of given rows, float32[n].
    """

    model: nn.Module
    curve: Curve
    squared_error: Callable[[Rows], NDArray[np.float32]]


@dataclass(frozen=True)
class Trainer:
    """A declaration in `training/trainers/NAME.py`, as `TRAINER`.

    Args:
        inputs: what the model reads.
        meaning: what its score means, a sentence for people.
        contributions: how it explains itself.
        error: name of the squared error it reports.
        defaults: its configuration when nothing else is asked for.
        fit: trains and calibrates on a part.
    """

    inputs: tuple[Input, ...]
    meaning: str
    contributions: Contributions
    error: str
    defaults: TrainingConfig
    fit: Callable[[FeatureView, Part, TrainingConfig, Report], Trained]


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
