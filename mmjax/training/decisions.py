"""Decision rules over models that were trained one by one: fitted on validation, in milliseconds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial

import jax
import numpy as np

from mmjax.config import Config
from mmjax.fusion import DECISION
from mmjax.fusion.decision.targets import decide, lift, present_rows
from mmjax.registry import build
from mmjax.training.folds import folds_of
from mmjax.training.units import to_learned, to_own
from mmjax.types import Task


def combine_decisions(
    task: Task, fusion: str, config: Config, unimodal: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Fused logits of each split from the modalities' own.

    The parameters of a rule that has any are, for test, what its `fit` makes of the whole validation split. Of
    validation itself each fold (`folds_of`) is decided with what `fit` makes of the other folds, so that its scores
    there are of decisions that it was not fitted on; a single fold is decided by the rule before any fit.
    Values of a regression are combined in the unit that models learn in, of which 0 is what is usual in train, and come
    back in their own.

    Args:
      fusion: a decision-level rule that is not trained through.
      unimodal: modality -> split ("validation", and "test" where it is to be decided) -> logits [n, K]; of any value
        where the modality is absent.

    Returns:
      split -> logits [n, K], of the splits that were given.
    """
    rule = build(DECISION, "fusion", fusion, config, regression=task.target.kind == "regression")
    names = sorted(unimodal)
    fused = {}

    def learned(split: str) -> dict[str, np.ndarray]:
        return {n: np.asarray(to_learned(task.target, unimodal[n][split])) for n in names}

    for split in unimodal[names[0]]:
        logits, present = learned(split), dict(task.splits[split].present)
        if not hasattr(rule, "fit"):
            fused[split] = _fused(task, rule, {}, logits, present)
        elif split == "validation":
            fused[split] = _cross_fitted(task, rule, logits)
        else:
            params = _fit(task, rule, learned("validation"))
            fused[split] = _fused(task, rule, params, logits, present)
    return {split: np.asarray(to_own(task.target, values)) for split, values in fused.items()}


def is_fitted(fusion: str) -> bool:
    """Whether a fusion is a rule that is fitted on validation."""
    return fusion in DECISION and not DECISION[fusion].trained and hasattr(DECISION[fusion], "fit")


def _cross_fitted(task: Task, rule, logits: Mapping[str, np.ndarray]) -> np.ndarray:
    """Validation's fused logits [n, K], each from a fit on the other folds."""
    folds, present = folds_of(task, "validation"), dict(task.splits["validation"].present)
    if not folds.any():
        params = rule.init(jax.random.key(0), *_rows(task, logits, np.arange(1))[:2]).get("params", {})
        return _fused(task, rule, params, logits, present)
    fused = np.empty_like(logits[min(logits)], np.float32)
    for fold in np.unique(folds):
        params = _fit(task, rule, logits, np.flatnonzero(folds != fold))
        # Of all rows, so that every fold has one shape, and one program.
        fused[folds == fold] = _fused(task, rule, params, logits, present)[folds == fold]
    return fused


def _fit(task: Task, rule, logits: Mapping[str, np.ndarray], rows: np.ndarray | slice = slice(None)):
    """What a rule makes of rows of validation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn's, where most classes have one example
        return rule.fit(*_rows(task, logits, rows))


def _rows(task: Task, logits, rows):
    """What a rule is fitted to: between classes, as `decide` has it; values as they are."""
    target, validation = task.target, task.splits["validation"]
    logits = {n: l[rows] for n, l in logits.items()}
    present = {n: validation.present[n][rows] for n in logits}
    truth = validation.target[rows]
    if target.kind == "regression":
        return logits, present, np.asarray(to_learned(target, truth.reshape(len(truth), -1)))
    lifted = {n: np.asarray(lift(target, l)) for n, l in logits.items()}
    present = {n: np.asarray(p) for n, p in present_rows(target, present).items()}
    return lifted, present, truth.reshape(-1).astype(np.int32)


def _fused(task: Task, rule, params, logits, present) -> np.ndarray:
    return np.asarray(_fuse(task.target, rule, params, logits, {n: present[n] for n in logits}))


# One program for all seeds of a task: a rule is known by its fields, not by its place in memory. It runs a few times
# over a few hundred rows, so that nearly all it costs is its compilation, which is shorter without optimisation.
@partial(jax.jit, static_argnums=(0, 1), compiler_options={"xla_backend_optimization_level": 0})
def _fuse(target, rule, params, logits, present):
    return decide(target, partial(rule.apply, {"params": params}), logits, present)
