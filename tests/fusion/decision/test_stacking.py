"""Stacking is scikit-learn's logistic regression on the modalities' log-probabilities."""

import jax
import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from mmjax.fusion import Product, Stacking

N, K = 120, 4
pytestmark = pytest.mark.usefixtures("float64")


def decisions(classes, modalities=2):
    """Truth among `classes` of K, and decisions that lean to it; the second modality lacks a third of the rows."""
    rng = np.random.default_rng(0)
    truth = rng.choice(classes, N)
    logits = {f"m{i}": np.eye(K)[truth] * (i + 1) + rng.normal(size=(N, K)) for i in range(modalities)}
    present = {name: np.ones(N, bool) for name in logits} | {"m1": rng.random(N) > 1 / 3}
    logits["m1"][~present["m1"]] = np.nan
    return logits, present, truth


@pytest.mark.parametrize("modalities", [2, 3, 6])
@pytest.mark.parametrize("classes", [(0, 1, 2, 3), (0, 1, 3), (1, 2)], ids=["all", "one unseen", "two seen"])
def test_fitted_is_predict_proba(classes, modalities):
    """On the classes that validation has; the others have a probability of at most 1 / (n + K), and a logarithm."""
    logits, present, truth = decisions(classes, modalities)
    fused = Stacking().apply({"params": Stacking().fit(logits, present, truth)}, logits, present)
    flat = {name: np.where(present[name][:, None], l, 0) for name, l in logits.items()}
    features = np.concatenate([log_softmax(l, axis=1) for l in flat.values()], axis=1)
    regression = LogisticRegression(solver="newton-cg", max_iter=1000).fit(features, truth)
    p = np.exp(fused)
    # Coefficients are kept in float32: 6e-8 of logits of order 100 at most.
    np.testing.assert_allclose(
        p[:, classes] / p[:, classes].sum(1, keepdims=True), regression.predict_proba(features), rtol=1e-4, atol=1e-6
    )
    unseen = np.setdiff1d(np.arange(K), classes)
    assert (p[:, unseen] <= 1 / (N + K)).all() and np.isfinite(fused).all()


def test_one_class_alone():
    """It is as likely as the rule of succession makes it, whatever is decided."""
    logits, present, truth = decisions((2,))
    fused = Stacking().apply({"params": Stacking().fit(logits, present, truth)}, logits, present)
    expected = softmax(np.where(np.arange(K) == 2, 0, -np.log(N + K)))
    np.testing.assert_allclose(np.exp(fused), np.broadcast_to(expected, (N, K)), rtol=1e-6)


def test_the_start_is_the_product(logits):
    variables = Stacking().init(jax.random.key(0), logits)
    np.testing.assert_allclose(Stacking().apply(variables, logits), Product().apply({}, logits), rtol=1e-12, atol=1e-12)


def test_an_absent_modality_is_a_flat_one(logits):
    rng = np.random.default_rng(0)
    start = Stacking().init(jax.random.key(0), logits)
    variables = jax.tree.map(lambda leaf: leaf + rng.normal(size=leaf.shape), start)
    present = {name: np.full(6, name != "m1") for name in logits}
    np.testing.assert_array_equal(
        Stacking().apply(variables, logits | {"m1": np.full((6, K), np.nan)}, present),
        Stacking().apply(variables, logits | {"m1": np.zeros((6, K))}),
    )
