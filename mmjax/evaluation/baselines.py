"""What every model must beat, and what no choice among single modalities can pass."""

from collections.abc import Mapping

import numpy as np
import scipy.special

from mmjax.evaluation.metrics import decisions, primary_metric
from mmjax.types import TargetSpec


def majority(target: TargetSpec, truth, n: int) -> np.ndarray:
    """The same prediction for each of n examples: what is most frequent in training.

    Classes and labels get their frequency by Laplace's rule, (count + 1) / (examples + classes),
    so that one that training lacks keeps a finite logit; regression gets the mean.

    Args:
      target: what is predicted.
      truth: of the training split, [examples] or [examples, K].
      n: predictions to make.

    Returns:
      Logits [n, K].
    """
    truth = np.asarray(truth)
    if target.kind == "regression":
        row = truth.mean(axis=0)
    elif target.kind == "multiclass":
        row = np.log((np.bincount(truth, minlength=target.size) + 1) / (len(truth) + target.size))
    else:
        row = scipy.special.logit((truth.reshape(-1, target.outputs).sum(axis=0) + 1) / (len(truth) + 2))
    return np.tile(row, (n, 1))


def oracle(target: TargetSpec, modality_logits: Mapping[str, np.ndarray], truth) -> dict[str, float]:
    """The primary metric if each example (label, value) were decided by the modality that does it best.

    Args:
      target: what is predicted.
      modality_logits: modality -> [n, K], of models that saw it alone.
      truth: [n] or [n, K].

    Returns:
      {"accuracy": share of decisions that any modality has right}, or {"mae": mean of the least error}.
    """
    truth = np.asarray(truth)
    if target.kind == "regression":
        best = np.min([np.abs(logits - truth) for logits in modality_logits.values()], axis=0)
    else:
        best = np.any([decisions(target, logits) == truth for logits in modality_logits.values()], axis=0)
    return {primary_metric(target): float(best.mean())}
