"""Products of experts, in float64 against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from mmjax.fusion import NaiveBayes, Product

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
pytestmark = pytest.mark.usefixtures("float64")


def normalised(p):
    return np.log(p / p.sum(1, keepdims=True))


def test_product(logits):
    p = np.prod([softmax(l, axis=1) for l in logits.values()], axis=0)
    np.testing.assert_allclose(Product().apply({}, logits), normalised(p), **CLOSE)


def test_a_flat_expert_changes_no_product(logits):
    flat = logits | {"another": np.full_like(logits["m0"], 7.0)}
    np.testing.assert_allclose(Product().apply({}, flat), Product().apply({}, logits), **CLOSE)


def test_naive_bayes(logits):
    """Also of the modalities that are there alone, and the prior itself where none is."""
    prior = np.array([0.4, 0.3, 0.2, 0.1])
    present = {name: np.arange(6) > i for i, name in enumerate(logits)}
    m = sum(present.values())[:, None]
    p = [np.where(present[name][:, None], softmax(l, axis=1), 1) for name, l in logits.items()]
    fused = NaiveBayes().apply({"params": {"log_prior": jnp.log(prior)}}, logits, present)
    np.testing.assert_allclose(fused, normalised(prior ** (1 - m) * np.prod(p, axis=0)), **CLOSE)
    np.testing.assert_allclose(fused[0], np.log(prior), **CLOSE)


def test_a_uniform_prior_is_the_product(logits):
    rule = NaiveBayes()
    variables = rule.init(jax.random.key(0), logits)
    np.testing.assert_allclose(rule.apply(variables, logits), Product().apply({}, logits), **CLOSE)


def test_independent_modalities_give_the_true_posterior():
    """Bayes' rule: with x_1, x_2 independent given y, P(y | x_1, x_2) is what the P(y | x_i) and P(y) make."""
    prior = np.array([0.6, 0.3, 0.1])
    given = [softmax(np.random.default_rng(i).normal(size=(3, 4)), axis=1) for i in range(2)]  # P(x_i | y)
    joint = prior[:, None, None] * given[0][:, :, None] * given[1][:, None]
    exact = joint / joint.sum(0)
    posteriors = [np.log(prior[:, None] * g / (prior @ g)).T for g in given]
    x1, x2 = np.indices((4, 4)).reshape(2, -1)
    fused = NaiveBayes().apply({"params": {"log_prior": jnp.log(prior)}},
                               {"a": posteriors[0][x1], "b": posteriors[1][x2]})  # fmt: skip
    np.testing.assert_allclose(np.exp(fused), exact.reshape(3, -1).T, **CLOSE)


def test_the_fitted_prior_counts_validation_classes():
    fitted = NaiveBayes().fit({"a": np.zeros((5, 4))}, {"a": np.ones(5, bool)}, np.array([0, 0, 0, 2, 2]))
    np.testing.assert_allclose(fitted["log_prior"], np.log([4 / 9, 1 / 9, 3 / 9, 1 / 9]), rtol=1e-6)
