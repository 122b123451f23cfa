"""Calibration against figures worked by hand."""

import numpy as np
import pytest
import scipy.special

from mmjax.evaluation.calibration import calibration
from mmjax.types import TargetSpec

BINARY = TargetSpec("binary")


def test_right_as_often_as_claimed_is_calibrated():
    # Chance 3/4, right in 3 of 4.
    found = calibration(BINARY, scipy.special.logit([[0.75]] * 4), np.array([1, 1, 1, 0]))
    assert found["calibration_error"] == pytest.approx(0, abs=1e-12)
    assert found["brier"] == pytest.approx((3 * 0.25**2 + 0.75**2) / 4)


def test_bins_are_weighted_by_their_counts():
    # Three decisions of chance .9, of which one is right, and one of .6 that is right.
    logits = scipy.special.logit([[0.9], [0.9], [0.9], [0.6]])
    found = calibration(BINARY, logits, np.array([1, 0, 0, 1]))
    assert found["calibration_error"] == pytest.approx(3 / 4 * (0.9 - 1 / 3) + 1 / 4 * (1 - 0.6))


def test_certain_and_right_is_perfect_and_certain_and_wrong_is_worst():
    three = TargetSpec("multiclass", 3)
    logits = 1e4 * np.eye(3)
    assert calibration(three, logits, np.arange(3)) == {"calibration_error": 0, "brier": 0}
    assert calibration(three, logits, np.array([1, 2, 0])) == {"calibration_error": 1, "brier": 2}


def test_a_label_of_multilabel_counts_as_an_example():
    logits = np.random.default_rng(0).normal(size=(20, 2))
    truth = np.random.default_rng(1).integers(0, 2, (20, 2))
    together = calibration(TargetSpec("multilabel", 2), logits, truth)
    assert together == pytest.approx(calibration(BINARY, logits.reshape(-1, 1), truth.ravel()))


def test_regression_is_refused():
    with pytest.raises(ValueError, match="regression"):
        calibration(TargetSpec("regression"), np.zeros((2, 1)), np.zeros((2, 1)))
