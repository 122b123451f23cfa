"""Metrics of a whole split, computed from all its predictions at once.

Logits mean the same in every function of this package: binary, one column of log-odds
[n, 1]; multiclass, unnormalised log-probabilities [n, K]; multilabel, one log-odds a label
[n, K]; regression, the predicted values [n, K].
"""

import numpy as np
import scipy.special
import scipy.stats
from sklearn import metrics

from mmjax.types import TargetSpec

_CLASSIFICATION = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "nll")
METRICS = {
    "binary": _CLASSIFICATION,
    "multiclass": _CLASSIFICATION,
    "multilabel": ("accuracy", "macro_f1", "micro_f1", "auroc", "nll"),
    "regression": ("mae", "rmse", "correlation"),
}
LOWER_IS_BETTER = frozenset({"nll", "mae", "rmse", "calibration_error", "brier"})


def primary_metric(target: TargetSpec) -> str:
    """The metric that epochs are chosen and tables are read by: accuracy, or MAE for regression."""
    return METRICS[target.kind][0]


def higher_is_better(metric: str) -> bool:
    """The direction of a metric."""
    return metric not in LOWER_IS_BETTER


def evaluate(target: TargetSpec, logits, truth, weight=None) -> dict[str, float]:
    """Every metric of the target's kind, in the order of METRICS.

    - accuracy: share of right decisions; for multilabel over all n x K labels.
    - balanced_accuracy: mean recall of the classes that occur in `truth`.
    - macro_f1: mean F1 of the classes that occur in `truth` or among the decisions; for
      multilabel of all labels. micro_f1: F1 of all labels pooled.
    - auroc: area under the ROC curve, for multiclass the mean of one class against the rest,
      for multilabel of one label at a time. Classes that are missing from `truth`, or are all
      there is, have no curve and are left out; NaN if none remains.
    - nll: mean negative log-likelihood in nats of an example, for multilabel of a label.
    - mae, rmse, correlation (Pearson's): of each of the K values, then their mean. The
      correlation of a constant is 0.

    Args:
      target: what is predicted.
      logits: [n, K], finite.
      truth: [n] int classes (binary, multiclass); [n, K] (multilabel 0 or 1, regression).
      weight: [n] or None; rows of weight 0 only fill a batch up and are left out.

    Raises:
      ValueError: if logits are not finite, or shapes do not fit.
    """
    logits, truth = _checked(target, logits, truth, weight)
    if target.kind == "regression":
        return _regression(logits, truth)
    decided = decisions(target, logits)
    values = {
        "accuracy": np.mean(decided == truth),
        "auroc": _auroc(target, logits, truth),
        "nll": -np.mean(_log_likelihood(target, logits, truth)),
    }
    if target.kind == "multilabel":
        for average in ("macro", "micro"):
            values[f"{average}_f1"] = metrics.f1_score(truth, decided, average=average, zero_division=0)
    else:
        values["balanced_accuracy"] = metrics.recall_score(truth, decided, average="macro", labels=np.unique(truth))
        values["macro_f1"] = metrics.f1_score(truth, decided, average="macro", zero_division=0)
    return {name: float(values[name]) for name in METRICS[target.kind]}


def decisions(target: TargetSpec, logits) -> np.ndarray:
    """The decision for each example: [n] classes, or [n, K] of 0 and 1 for multilabel."""
    logits = np.asarray(logits)
    if target.kind == "multiclass":
        return logits.argmax(axis=1)
    decided = (logits > 0).astype(np.int64)
    return decided[:, 0] if target.kind == "binary" else decided


def probabilities(target: TargetSpec, logits) -> np.ndarray:
    """Probabilities [n, classes]; for multilabel [n, K] that a label applies."""
    logits = np.asarray(logits, np.float64)
    if target.kind == "multiclass":
        return scipy.special.softmax(logits, axis=1)
    positive = scipy.special.expit(logits)
    return np.concatenate([1 - positive, positive], axis=1) if target.kind == "binary" else positive


def _checked(target: TargetSpec, logits, truth, weight) -> tuple[np.ndarray, np.ndarray]:
    """Both as arrays that fit each other, without the rows of weight 0."""
    logits, truth = np.asarray(logits, np.float64), np.asarray(truth)
    if weight is not None:
        kept = np.asarray(weight) > 0
        logits, truth = logits[kept], truth[kept]
    expected = (len(logits),) if target.kind in ("binary", "multiclass") else (len(logits), target.outputs)
    if logits.shape != (len(logits), target.outputs) or truth.shape != expected or not len(logits):
        raise ValueError(f"logits {logits.shape} and truth {truth.shape} do not fit {target}")
    if not np.isfinite(logits).all():
        raise ValueError("logits are not finite: a diverged model has no metrics")
    return logits, truth if target.kind == "regression" else truth.astype(np.int64)


def _log_likelihood(target: TargetSpec, logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """log p(truth) of each example, or of each label; from logits, so that it never underflows."""
    if target.kind == "multiclass":
        return np.take_along_axis(scipy.special.log_softmax(logits, axis=1), truth[:, None], axis=1)
    return scipy.special.log_expit(np.where(truth.reshape(logits.shape) == 1, logits, -logits))


def _auroc(target: TargetSpec, logits: np.ndarray, truth: np.ndarray) -> float:
    if target.kind == "multiclass":
        # Log-odds of each class against the rest rank as its probability does, and do not saturate.
        rest = [scipy.special.logsumexp(np.delete(logits, k, axis=1), axis=1) for k in range(target.size)]
        scores, hits = logits - np.stack(rest, axis=1), truth[:, None] == np.arange(target.size)
    else:
        scores, hits = logits, truth.reshape(logits.shape) == 1
    pairs = zip(hits.T, scores.T, strict=True)
    areas = [metrics.roc_auc_score(hit, score) for hit, score in pairs if hit.any() and not hit.all()]
    return np.mean(areas) if areas else np.nan


def _regression(predicted: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    pairs = zip(predicted.T, truth.T, strict=True)
    correlations = [scipy.stats.pearsonr(p, t).statistic if np.ptp(p) > 0 and np.ptp(t) > 0 else 0.0 for p, t in pairs]
    return {
        "mae": float(metrics.mean_absolute_error(truth, predicted)),
        "rmse": float(metrics.root_mean_squared_error(truth, predicted)),
        "correlation": float(np.mean(correlations)),
    }
