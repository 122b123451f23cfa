"""The floor and the ceiling of every table."""

import numpy as np
import pytest

from mmjax.evaluation.baselines import majority, oracle
from mmjax.evaluation.metrics import evaluate, probabilities
from mmjax.types import TargetSpec

THREE = TargetSpec("multiclass", 3)


def test_majority_predicts_training_frequencies():
    logits = majority(THREE, np.array([2, 2, 2, 1]), n=5)
    # (count + 1) / (examples + classes)
    np.testing.assert_allclose(probabilities(THREE, logits), np.tile([1 / 7, 2 / 7, 4 / 7], (5, 1)))
    assert evaluate(THREE, logits, np.array([2, 2, 0, 1, 2]))["accuracy"] == 0.6


def test_majority_of_binary_labels_and_values():
    binary = TargetSpec("binary")
    np.testing.assert_allclose(probabilities(binary, majority(binary, np.array([1, 1, 0]), 1)), [[2 / 5, 3 / 5]])
    labels = TargetSpec("multilabel", 2)
    truth = np.array([[1, 0], [1, 0], [0, 0]], np.float32)
    np.testing.assert_allclose(probabilities(labels, majority(labels, truth, 1)), [[3 / 5, 1 / 5]])
    values = TargetSpec("regression", 2)
    np.testing.assert_allclose(majority(values, np.array([[1.0, 5.0], [3.0, 7.0]]), 2), [[2, 6], [2, 6]])


def test_oracle_is_right_where_any_modality_is():
    truth = np.array([0, 1, 2, 0])
    first, second = 9 * np.eye(3)[[0, 1, 0, 1]], 9 * np.eye(3)[[1, 1, 2, 2]]
    assert oracle(THREE, {"a": first, "b": second}, truth) == {"accuracy": 0.75}
    # One modality's oracle is that modality, and another one never lowers it.
    assert oracle(THREE, {"a": first}, truth)["accuracy"] == evaluate(THREE, first, truth)["accuracy"] == 0.5


def test_oracle_of_regression_takes_the_nearest():
    truth = np.array([[1.0], [2.0]])
    predicted = {"a": truth + [[0.5], [-3.0]], "b": truth + [[2.0], [1.0]]}
    assert oracle(TargetSpec("regression"), predicted, truth) == pytest.approx({"mae": 0.75})
