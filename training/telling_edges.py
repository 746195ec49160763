"""Bends of a feature where the labels change, found by a small tree: rare values that matter get bends of their own.

Source: Gorishniy, Rubachev, Babenko 2022, "On embeddings for numerical features" (target-aware bins).
"""

import numpy as np
import torch
from sklearn.tree import DecisionTreeClassifier
from torch import Tensor

LEAST_ROWS = 20
_LEAST_APART = 1e-4


def telling_edges(standard: Tensor, present: Tensor, labels: Tensor, bins: int) -> Tensor:
    """Rising places of the bends of each feature, (width, bin + 1); bins that are not needed lie at the end, empty.

    Args:
        standard, present: values and mask, (row, width); labels: 1 or 0, (row).
        bins: most leaves of a feature's tree; each leaf holds at least 20 rows.
    """
    edges = torch.zeros(standard.shape[1], bins + 1)
    for column in range(standard.shape[1]):
        there = present[:, column] > 0
        known, truth = standard[there, column].numpy(), labels[there].numpy()
        if len(known):
            edges[column] = torch.from_numpy(_edges_of(known, truth, bins))
    return edges


def _edges_of(known: np.ndarray, truth: np.ndarray, bins: int) -> np.ndarray:
    tree = DecisionTreeClassifier(max_leaf_nodes=bins, min_samples_leaf=min(LEAST_ROWS, len(known)), random_state=0)
    tree.fit(known[:, None], truth)
    inner = np.sort(tree.tree_.threshold[tree.tree_.children_left >= 0])
    rising = np.concatenate([[known.min()], inner, [known.max()]]).astype(np.float32)
    rising = rising[np.append(True, np.diff(rising) > _LEAST_APART)]
    return np.concatenate([rising, np.full(bins + 1 - len(rising), rising[-1], np.float32)])
