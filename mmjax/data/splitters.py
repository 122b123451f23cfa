"""Folds of examples that keep classes' shares, and groups whole."""

from __future__ import annotations

import warnings

import numpy as np


def folds_by(n: int, count: int, seed: int, strata: np.ndarray | None, groups: np.ndarray | None) -> np.ndarray:
    """[n] number of each example's fold, from 0.

    Args:
      n: examples.
      count: folds, 2 or more, and no more than groups.
      seed: of the order in which examples go round.
      strata: [n] int, classes, which keep their shares as far as they go round; None where there are none.
      groups: [n], examples of one value are in one fold; None where each stands alone.

    Raises:
      ValueError: scikit-learn's, where there are too few examples, of all or of every class.
    """
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    if groups is None:
        splitter = KFold if strata is None else StratifiedKFold
    else:
        splitter = GroupKFold if strata is None else StratifiedGroupKFold
    folds = np.empty(n, int)
    with warnings.catch_warnings():
        # A class with fewer members than folds is in some of them.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        parts = splitter(count, shuffle=True, random_state=seed).split(np.zeros(n), strata, groups)
        for fold, (_, held_out) in enumerate(parts):
            folds[held_out] = fold
    return folds
