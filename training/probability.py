"""What networks that give probabilities share: their loss, bins, groups of features, scaled log odds, explanation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering
from torch import Tensor, nn

from scoring.model.manifest import Contributions
from scoring.model.rows import Rows
from training.classical import brier_errors
from training.config import TrainingConfig
from training.export import TorchModel
from training.loop import Report, fit
from training.networks.tabular_probability import MOST_GROUPS, TabularProbability
from training.trainer import Part, Trained, in_parts, tensors

CONTRIBUTIONS = Contributions(
    method="groups of features set to their usual values one after another, in order and in reverse",
    explains="log odds of the score over those of a usual event",
)

MOST_ROWS = 5_000
PRIOR_SPREAD = 0.3
"""How far slope and offset of the log odds may plausibly lie from 1 and 0: few positives shall not turn them over."""
LEAST_SHARE = 1e-3
LEAST_SPAN = 0.02
"""Of a bin, in standard deviations: in a narrower one float32's last digit would move the score."""


@dataclass(frozen=True)
class Shape:
    """What is not in a `TrainingConfig`: how many networks share the weights, a multiple of 16, and bins per feature."""

    members: int = 16
    bins: int = 8


DEFAULT_SHAPE = Shape()


@dataclass(frozen=True, eq=False)
class Prepared:
    """Rows as the networks read them.

    Attributes:
        standard, present: standardised columns and their mask, (row, column) each.
        truth: 1 or 0, float32 (row).
    """

    standard: Tensor
    present: Tensor
    truth: Tensor

    @classmethod
    @torch.no_grad()
    def of(
        cls, preparation: nn.Module, inputs: tuple[str, ...], rows: Rows, labels: NDArray[np.int8] | None
    ) -> "Prepared":
        """The rows behind the model's first layer."""
        assert labels is not None
        parts = [preparation(*tensors(each, inputs)) for each in in_parts(rows)]
        standard, present = (torch.cat(each) for each in zip(*parts, strict=True))
        return cls(standard, present, torch.from_numpy(labels).to(torch.float32))


@dataclass(frozen=True, eq=False)
class Explained:
    """How the columns that a network reads explain: their group, and the feature that each counts for.

    Attributes:
        groups: 0 to 15, int64 (column); owners: (column, padded feature).
    """

    groups: Tensor
    owners: Tensor


def train_probability(
    part: Part,
    config: TrainingConfig,
    report: Report,
    *,
    preparation: nn.Module,
    inputs: tuple[str, ...],
    build: Callable[[Prepared], tuple[nn.Module, Explained]],
) -> Trained:
    """A calibrated ensemble; loss: binary cross-entropy of every member by itself, so that each learns alone.

    Args:
        part: labelled.
        preparation: the first layer, from the named inputs.
        build: the network for these training rows, from columns and mask to log odds (batch, member).
    """
    train = Prepared.of(preparation, inputs, part.train, part.train_labels)
    validation = Prepared.of(preparation, inputs, part.validation, part.validation_labels)
    network, explained = build(train)

    def loss(given: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        values, seen, truth = given  # (batch, column) twice, (batch)
        if generator is not None:
            seen = seen * (torch.rand(seen.shape, generator=generator) >= config.feature_dropout)
            values = (values + config.noise * torch.randn(values.shape, generator=generator)) * seen
        odds = network(values, seen)  # (batch, member)
        return nn.functional.binary_cross_entropy_with_logits(odds, truth[:, None].expand_as(odds))

    sides = [(each.standard, each.present, each.truth) for each in (train, validation)]
    curve = fit(network, loss, sides[0], sides[1], config, report)
    model = TabularProbability(
        preparation, network, inputs=inputs, usual=usual_row(train.standard, train.present), groups=explained.groups,
        owners=explained.owners,
    ).eval()  # fmt: skip
    fit_odds(model, validation)
    set_shares(model, train.standard, train.present)
    made = TorchModel(model)
    return Trained(made, curve, lambda rows, labels: brier_errors(_scores(made, rows), labels))


def _scores(made: TorchModel, rows: Rows) -> NDArray[np.float32]:
    return np.concatenate([made.scores(each) for each in in_parts(rows)])


def quantile_edges(standard: Tensor, present: Tensor, bins: int) -> Tensor:
    """Bends at the quantiles of each feature's known values, rising, (width, bin + 1)."""
    edges = torch.zeros(standard.shape[1], bins + 1)
    shares = np.linspace(0, 1, bins + 1)
    for column in range(standard.shape[1]):
        known = standard[present[:, column] > 0, column].numpy()
        if len(known):
            edges[column] = torch.from_numpy(_spread(known, shares))
    return edges


def _spread(known: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Quantiles without those that nearly are the one before; bins that this frees go to the end, and are empty."""
    rising: list[float] = []
    for edge in np.quantile(known, shares).tolist():
        if not rising or edge - rising[-1] >= LEAST_SPAN:
            rising.append(edge)
    return np.concatenate([rising, np.full(len(shares) - len(rising), rising[-1])]).astype(np.float32)


def usual_row(standard: Tensor, present: Tensor) -> Tensor:
    """The middle of each feature's known values and a mask of 1, or 0 and 0 where most rows lack it; (2, width)."""
    usual = torch.zeros(2, standard.shape[1])
    for column in range(standard.shape[1]):
        known = standard[present[:, column] > 0, column]
        if 2 * len(known) >= len(standard):
            usual[0, column], usual[1, column] = known.median(), 1.0
    return usual


def groups_of(standard: Tensor, present: Tensor) -> Tensor:
    """Which of at most 16 groups each feature belongs to, int64 (width): those that move together are in one."""
    width = standard.shape[1]
    used = np.flatnonzero(present.any(dim=0).numpy())
    found = np.zeros(width, np.int64)
    if len(used) <= MOST_GROUPS:
        found[used] = np.arange(len(used))
        return torch.from_numpy(found)
    values = standard[:: max(1, len(standard) // MOST_ROWS)].numpy()[:, used].astype(np.float64)
    centred = values - values.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0)) + 1e-9
    alike = np.abs((centred / spread).T @ (centred / spread) / len(values))
    clustering = AgglomerativeClustering(n_clusters=MOST_GROUPS, metric="precomputed", linkage="average")
    found[used] = clustering.fit_predict(np.clip(1 - alike, 0.0, None))
    return torch.from_numpy(found)


@torch.no_grad()
def fit_odds(model: TabularProbability, rows: Prepared) -> None:
    """Sets slope and offset of the log odds to the likeliest on validation rows, given that they are near 1 and 0.

    Source: Platt 1999, "Probabilistic outputs for support vector machines".
    """
    parts = zip(rows.standard.split(4_096), rows.present.split(4_096), strict=True)
    odds = torch.cat([model.odds(*each) for each in parts])
    given = np.column_stack([odds.numpy(), np.ones(len(odds))]).astype(np.float64)  # (row, 2)
    label, usual = rows.truth.numpy().astype(np.float64), np.array([1.0, 0.0])
    beta = usual.copy()
    for _ in range(25):  # Newton's steps
        expected = 1 / (1 + np.exp(-np.clip(given @ beta, -30, 30)))
        curvature = (given * (expected * (1 - expected))[:, None]).T @ given + np.eye(2) / PRIOR_SPREAD**2
        step = np.linalg.solve(curvature, given.T @ (label - expected) - (beta - usual) / PRIOR_SPREAD**2)
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    model.slope.fill_(float(max(beta[0], 0.05)))
    model.offset.fill_(float(beta[1]))


@torch.no_grad()
def set_shares(model: TabularProbability, standard: Tensor, present: Tensor) -> None:
    """Sets how much each feature's distance from usual moves the log odds, found by setting it back alone."""
    rows = slice(0, None, max(1, len(standard) // 512))
    given = torch.stack([standard[rows], present[rows]], dim=1)  # (row, 2, width)
    whole, apart = model.odds(*given.unbind(1)), (given - model.usual).abs().sum(dim=1)
    for column in range(standard.shape[1]):
        set_back = given.clone()
        set_back[:, :, column] = model.usual[:, column]
        moved = (model.odds(*set_back.unbind(1)) - whole).abs().sum()
        model.share[column] = moved / apart[:, column].sum().clamp(min=1e-6)
    model.share.clamp_(min=LEAST_SHARE * float(model.share.max().clamp(min=1e-6)))
