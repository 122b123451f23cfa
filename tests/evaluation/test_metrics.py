"""Metrics against figures worked by hand, and their invariances."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmjax.evaluation.metrics import METRICS, evaluate, higher_is_better, primary_metric, probabilities
from mmjax.types import TargetSpec

BINARY = TargetSpec("binary")
THREE = TargetSpec("multiclass", 3)
LABELS = TargetSpec("multilabel", 2)
VALUES = TargetSpec("regression", 2)


def log(rows):
    return np.log(np.asarray(rows))


def test_binary_by_hand():
    # Decisions 1, 1, 0, 0 for truths 1, 0, 0, 1 with chances 3/4, 2/3, 1/3, 1/4 of class 1.
    logits = np.log([[3.0], [2.0], [1 / 2], [1 / 3]])
    found = evaluate(BINARY, logits, np.array([1, 0, 0, 1]))
    assert tuple(found) == METRICS["binary"]
    # Positive-negative pairs in order: (3/4 over 2/3), (3/4 over 1/3); out of order: the two of 1/4.
    assert found["accuracy"] == found["balanced_accuracy"] == found["macro_f1"] == found["auroc"] == 0.5
    assert found["nll"] == pytest.approx(-np.mean(np.log([3 / 4, 1 / 3, 2 / 3, 1 / 4])))


def test_multiclass_by_hand():
    chances = [[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]]
    found = evaluate(THREE, log(chances), np.array([0, 1, 1, 2]))
    # Decisions 0, 0, 1, 2: recalls 1, 1/2, 1; F1 2/3, 2/3, 1; only the curve of class 0 (3 of 3 pairs:
    # .6 over .5, .2, .1), of class 1 (.4 and .7 over .3 and .1) and of class 2 are all perfect.
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == pytest.approx(2.5 / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert found["auroc"] == 1
    assert found["nll"] == pytest.approx(-np.mean(np.log([0.6, 0.4, 0.7, 0.8])))


def test_multilabel_by_hand():
    logits = np.array([[1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])
    found = evaluate(LABELS, logits, np.array([[1, 0], [0, 1], [0, 1]], np.float32))
    # Right: 4 of 6. Label 0: precision 1/2, recall 1; label 1: precision 1, recall 1/2; together TP 2, FP 1, FN 1.
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["macro_f1"] == pytest.approx(2 / 3)
    assert found["micro_f1"] == pytest.approx(2 / 3)
    # Label 0: the positive ties with one negative and beats one, 3/4; label 1: one beats, one ties, 3/4.
    assert found["auroc"] == pytest.approx(3 / 4)
    assert found["nll"] == pytest.approx((4 * math.log(1 + math.exp(-1)) + 2 * math.log(1 + math.e)) / 6)


def test_regression_by_hand():
    truth = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    found = evaluate(VALUES, truth * [[2.0, 1.0]] + [[1.0, 3.0]], truth)
    # Errors 1, 3, 5 and 3, 3, 3; the first column is linear in the truth, the second constant.
    assert found["mae"] == 3
    assert found["rmse"] == pytest.approx((math.sqrt(35 / 3) + 3) / 2)
    assert found["correlation"] == pytest.approx(0.5)


def test_a_class_that_is_missing_has_no_curve():
    found = evaluate(THREE, log([[0.6, 0.3, 0.1], [0.3, 0.6, 0.1]]), np.array([0, 1]))
    assert found["auroc"] == found["balanced_accuracy"] == 1
    assert math.isnan(evaluate(BINARY, [[0.3], [0.4]], [1, 1])["auroc"])


def test_large_logits_stay_exact():
    # The likelihood of a confident mistake underflows as a probability; its logarithm does not.
    assert evaluate(BINARY, [[-2000.0], [1.0]], [1, 1])["nll"] == pytest.approx((2000 + math.log1p(math.exp(-1))) / 2)
    assert evaluate(THREE, [[0.0, 0.0, 2000.0]], [0])["nll"] == 2000
    # Chances that all round to 1 still rank examples.
    assert evaluate(TargetSpec("multiclass", 2), [[0, 50], [0, 60], [0, 70]], [0, 1, 1])["auroc"] == 1


def test_binary_is_multiclass_with_two_columns():
    logits = np.random.default_rng(0).normal(size=(50, 1))
    truth = np.arange(50) % 2
    two = evaluate(TargetSpec("multiclass", 2), np.concatenate([np.zeros_like(logits), logits], axis=1), truth)
    assert evaluate(BINARY, logits, truth) == pytest.approx(two)
    np.testing.assert_allclose(probabilities(BINARY, logits).sum(axis=1), 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([BINARY, THREE, LABELS, VALUES]))
def test_order_and_filling_rows_do_not_matter(seed, target):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(12, target.outputs))
    truth = {
        "binary": lambda: random.integers(0, 2, 12),
        "multiclass": lambda: random.integers(0, 3, 12),
        "multilabel": lambda: random.integers(0, 2, (12, 2)).astype(np.float32),
        "regression": lambda: random.normal(size=(12, 2)),
    }[target.kind]()
    found = evaluate(target, logits, truth)
    order = random.permutation(np.r_[:12, :5])
    # The five rows that come twice count once: their second copy has weight 0.
    weight = np.array([row not in order[:place] for place, row in enumerate(order)], np.float32)
    again = evaluate(target, logits[order], truth[order], weight)
    assert again == pytest.approx(found, nan_ok=True)


def test_directions():
    assert primary_metric(BINARY) == primary_metric(LABELS) == "accuracy" and primary_metric(VALUES) == "mae"
    assert higher_is_better("accuracy") and higher_is_better("correlation")
    assert not higher_is_better("nll") and not higher_is_better("rmse")


@pytest.mark.parametrize(
    ("logits", "truth", "reason"),
    [([[np.nan]], [0], "not finite"), ([[0.0]], [0, 1], "do not fit"), ([[0.0, 1.0]], [0], "do not fit")],
)
def test_what_has_no_metrics_is_refused(logits, truth, reason):
    with pytest.raises(ValueError, match=reason):
        evaluate(BINARY, logits, truth)
