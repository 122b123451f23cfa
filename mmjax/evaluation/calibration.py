"""Whether probabilities mean what they say."""

import numpy as np
import scipy.stats
from sklearn.metrics import brier_score_loss

from mmjax.evaluation.metrics import decisions, probabilities
from mmjax.types import TargetSpec

BINS = 15


def calibration(target: TargetSpec, logits, truth) -> dict[str, float]:
    """Expected calibration error and Brier score of a whole split.

    `calibration_error`, in [0, 1]: over BINS equal-width bins of the decision's probability, the
    mean of abs(share right - mean probability), weighted by the bins' counts. A label of
    multilabel counts as an example.

    `brier`: mean squared distance of the probabilities from the truth; summed over classes for
    multiclass (in [0, 2]), of the positive class for binary and for each label (in [0, 1]).

    Args:
      target: of any kind but regression.
      logits: [n, K] as in `mmjax.evaluation.metrics`.
      truth: [n] int, or [n, K] for multilabel.

    References: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3.
    """
    if target.kind == "regression":
        raise ValueError("regression has no probabilities to calibrate")
    truth = np.asarray(truth).astype(np.int64)
    chances = probabilities(target, logits)
    right = (decisions(target, logits) == truth).ravel()
    if target.kind == "multilabel":
        confidence, brier = np.maximum(chances, 1 - chances).ravel(), np.mean((chances - truth) ** 2)
    else:
        confidence = chances.max(axis=1)
        half = target.kind == "binary"
        brier = brier_score_loss(truth, chances, labels=np.arange(target.classes), scale_by_half=half)
    # Rounding may lift a probability above 1, where no bin is.
    confidence = np.minimum(confidence, 1)
    excess, _, _ = scipy.stats.binned_statistic(confidence, right - confidence, "sum", bins=BINS, range=(0, 1))
    return {"calibration_error": float(np.abs(excess).sum() / len(confidence)), "brier": float(brier)}
