"""Folds of a split: what is fitted on the others is judged on each in turn."""

from __future__ import annotations

import numpy as np

from mmjax.data.splitters import folds_by
from mmjax.types import Task

FOLDS = 5
SEED = 0


def folds_of(task: Task, split: str) -> np.ndarray:
    """[n] number of each example's fold, from 0, by a fixed seed.

    Classes keep their shares as far as they go round; examples of one group are in one fold. There are FOLDS, or as
    many as the commonest class has examples (of none are there two: as the split has examples) and the split groups; of
    one example or one group there is a single fold.
    """
    truth, groups = task.splits[split].target, task.groups.get(split)
    strata = truth.reshape(-1) if task.target.kind in ("binary", "multiclass") else None
    return _assign(len(truth), strata, groups)


def _assign(n: int, strata: np.ndarray | None, groups: np.ndarray | None) -> np.ndarray:
    commonest = 0 if strata is None else int(np.unique(strata, return_counts=True)[1].max())
    strata = strata if commonest > 1 else None
    count = min(FOLDS, n if strata is None else commonest, n if groups is None else len(np.unique(groups)))
    if count < 2:
        return np.zeros(n, int)
    return folds_by(n, count, SEED, strata, groups)
