"""What networks that give probabilities share: their loss, bins, scaled log odds, explanation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scoring.features.spec import FeatureView
from scoring.model.manifest import Contributions
from scoring.model.rows import Rows
from training.classical import brier_errors
from training.config import TrainingConfig
from training.export import TorchModel
from training.groups import groups_of, usual_values
from training.loop import Report, fit
from training.networks.ablation import Ablation
from training.networks.tabular_probability import TabularProbability
from training.trainer import Part, Trained, in_parts, tensors

CONTRIBUTIONS = Contributions(
    method=(
        "what is lost without a group of features and gained with it alone, averaged; a group speaks through the feature "
        "whose distance from usual moves the score most"
    ),
    explains="-ln(1 - score), less that of the event with usual values",
)
MOST_ROWS = 512
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


def train_probability(
    view: FeatureView,
    part: Part,
    config: TrainingConfig,
    report: Report,
    *,
    preparation: nn.Module,
    inputs: tuple[str, ...],
    build: Callable[[Prepared], nn.Module],
) -> Trained:
    """A calibrated ensemble; loss: binary cross-entropy of every member by itself, so that each learns alone.

    Args:
        part: labelled.
        preparation: the first layer, from the named inputs; it does not learn.
        build: the network for these training rows, from columns and mask to log odds (batch, member).
    """
    train = Prepared.of(preparation, inputs, part.train, part.train_labels)
    validation = Prepared.of(preparation, inputs, part.validation, part.validation_labels)
    network = build(train)

    def loss(given: tuple[Tensor, ...], generator: torch.Generator | None) -> Tensor:
        values, seen, truth = given  # (batch, column) twice, (batch)
        if generator is not None:
            seen = seen * (torch.rand(seen.shape, generator=generator) >= config.feature_dropout)
            values = (values + config.noise * torch.randn(values.shape, generator=generator)) * seen
        odds = network(values, seen)  # (batch, member)
        return nn.functional.binary_cross_entropy_with_logits(odds, truth[:, None].expand_as(odds))

    sides = [(each.standard, each.present, each.truth) for each in (train, validation)]
    curve = fit(network, loss, sides[0], sides[1], config, report)
    names = view.history.features if view.history and "history" in inputs else ()
    model = TabularProbability(
        preparation, network, inputs=inputs, middle=middles(train)[: preparation.features],
        ablation=Ablation(groups_of(view), usual_values(view, part.train.features)),
        past=[view.feature_names.index(name) for name in names],
    ).eval()  # fmt: skip
    fit_odds(model, validation)
    set_shares(model, part.train)
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


def middles(rows: Prepared) -> Tensor:
    """The middle of each column's known values, 0 where there are none, (column)."""
    found = torch.zeros(rows.standard.shape[1])
    for column in range(len(found)):
        known = rows.standard[rows.present[:, column] > 0, column]
        if len(known):
            found[column] = known.median()
    return found


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
def set_shares(model: TabularProbability, rows: Rows) -> None:
    """Sets how much each feature's distance from usual moves the log odds, found by setting it back alone."""
    few = tensors(rows.take(slice(0, None, max(1, len(rows) // MOST_ROWS))), model.inputs)
    standard, present = model.preparation(*few)
    whole = model.odds(standard, present)
    apart = (standard[:, : model.features] - model.middle).abs()  # (row, feature)
    for feature in range(model.features):
        columns = torch.arange(model.features) == feature
        changed = [set_back(few[0], columns, model.ablation.usual)]
        if len(few) > 1:
            changed += [set_back(few[1], columns[model.past], model.past_usual), few[2]]
        moved = (model.odds(*model.preparation(*changed)) - whole).abs().sum()
        model.share[feature] = moved / apart[:, feature].sum().clamp(min=1e-6)
    model.share.clamp_(min=LEAST_SHARE * float(model.share.max().clamp(min=1e-6)))


def set_back(raw: Tensor, columns: Tensor, usual: Tensor) -> Tensor:
    """Raw values with some columns made usual where they are not missing; raw is (…, column), the others (column)."""
    return torch.where(columns & ~torch.isnan(raw), usual, raw)
