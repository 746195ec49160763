"""What networks that give probabilities share: bends, groups of features, scaled log odds, shares within a group."""

import numpy as np
import torch
from sklearn.cluster import AgglomerativeClustering
from torch import Tensor

from training.networks.tabular_probability import MOST_GROUPS, TabularProbability

MOST_ROWS = 5_000
PRIOR_SPREAD = 0.3
"""How far slope and offset of the log odds may plausibly lie from 1 and 0: few positives shall not turn them over."""
LEAST_SHARE = 1e-3


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
    """Quantiles without those that are equal; bins that this frees go to the end, and are empty."""
    rising = np.unique(np.quantile(known, shares))
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
def fit_odds(model: TabularProbability, inputs: list[Tensor], truth: Tensor) -> None:
    """Sets slope and offset of the log odds to the likeliest on validation rows, given that they are near 1 and 0.

    Source: Platt 1999, "Probabilistic outputs for support vector machines".
    """
    odds = torch.cat([model.odds(*each) for each in zip(*(part.split(4_096) for part in inputs), strict=True)])
    given = np.column_stack([odds.numpy(), np.ones(len(odds))]).astype(np.float64)  # (row, 2)
    label, usual = truth.numpy().astype(np.float64), np.array([1.0, 0.0])
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
