"""Means with the same weights for every example: their equations in float64, and what their fits find."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from mmjax.fusion import CalibratedMean, Mean, WeightedMean

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
pytestmark = pytest.mark.usefixtures("float64")


def everywhere(logits):
    return {name: np.ones(len(l), bool) for name, l in logits.items()}


def test_mean(logits):
    p = np.mean([softmax(l, axis=1) for l in logits.values()], axis=0)
    np.testing.assert_allclose(Mean().apply({}, logits), np.log(p), **CLOSE)


def test_weighted_mean(logits):
    weights = np.random.default_rng(0).normal(size=len(logits))
    p = sum(w * softmax(l, axis=1) for w, l in zip(softmax(weights), logits.values(), strict=True))
    variables = {"params": {"weights": jnp.asarray(weights)}}
    np.testing.assert_allclose(WeightedMean().apply(variables, logits), np.log(p), **CLOSE)


def test_calibrated_mean(logits):
    temperatures = np.random.default_rng(0).uniform(0.2, 5, len(logits))
    p = np.mean([softmax(l / t, axis=1) for l, t in zip(logits.values(), temperatures, strict=True)], axis=0)
    variables = {"params": {"log_temperatures": jnp.log(temperatures)}}
    np.testing.assert_allclose(CalibratedMean().apply(variables, logits), np.log(p), **CLOSE)


@pytest.mark.parametrize("rule", [WeightedMean(), CalibratedMean()], ids=lambda rule: type(rule).__name__)
def test_equal_weights_and_temperatures_of_1_are_the_mean(rule, logits):
    variables = rule.init(jax.random.key(0), logits)
    np.testing.assert_allclose(rule.apply(variables, logits), Mean().apply({}, logits), **CLOSE)


def test_for_regression_they_are_means_of_the_values(logits):
    expected = np.mean(list(logits.values()), axis=0)
    np.testing.assert_allclose(Mean(regression=True).apply({}, logits), expected, **CLOSE)
    weights = np.arange(len(logits), dtype=float)
    expected = np.einsum("m,mbk->bk", softmax(weights), list(logits.values()))
    variables = {"params": {"weights": jnp.asarray(weights)}}
    np.testing.assert_allclose(WeightedMean(regression=True).apply(variables, logits), expected, **CLOSE)


def noisy_decisions(rng, size, errors):
    """Classes, and decisions of a modality for each share of errors."""
    truth = rng.integers(0, 3, size)
    shown = {f"m{i}": np.where(rng.random(size) < e, rng.integers(0, 3, size), truth) for i, e in enumerate(errors)}
    return truth, {name: np.float32(2 * np.eye(3)[s] + 0.3 * rng.normal(size=(size, 3))) for name, s in shown.items()}


def test_fitted_weights_are_the_most_likely():
    """At the maximum over the simplex the mean of p_i(y) / p(y) is 1 for each weight that is not 0 (Kuhn-Tucker).

    The loss's derivative by a parameter is w_i times 1 minus that mean; float32 sums of 400 terms leave it
    some 1e-6 from 0, and BFGS stops below 1e-5, or where it can tell no more.
    """
    truth, decisions = noisy_decisions(np.random.default_rng(0), 400, (0.3, 0.5, 0.7))
    w = softmax(WeightedMean().fit(decisions, everywhere(decisions), truth)["weights"])
    likelihoods = np.stack([softmax(l, axis=1)[np.arange(400), truth] for l in decisions.values()])
    derivatives = w * (1 - (likelihoods / (w @ likelihoods)).mean(1))
    assert np.abs(derivatives).max() < 1e-4
    assert 0.9 > w[0] > w[1] > w[2] > 0


def test_fitted_weights_of_values_are_those_that_made_the_truth():
    rng = np.random.default_rng(0)
    values = {f"m{i}": rng.normal(size=(100, 2)).astype(np.float32) for i in range(3)}
    w = np.float32([0.5, 0.3, 0.2])
    truth = np.einsum("m,mbk->bk", w, list(values.values()))
    fitted = softmax(WeightedMean(regression=True).fit(values, everywhere(values), truth)["weights"])
    # The loss is 0 there; below a gradient of 1e-5, with second derivatives of about 2 w_i w_j, w is 1e-4 off at most.
    np.testing.assert_allclose(fitted, w, atol=5e-4)


def test_temperatures_are_recovered():
    """Classes drawn from softmax(z), decisions T z: the estimate of log T has variance 1 / (n E Var_p z)."""
    rng, size, temperatures = np.random.default_rng(0), 4000, (0.5, 1.0, 3.0)
    z = 2 * rng.normal(size=(size, 5))
    p = softmax(z, axis=1)
    truth = (p.cumsum(1) < rng.random((size, 1))).sum(1)
    fitted = CalibratedMean().fit({f"m{i}": t * z for i, t in enumerate(temperatures)},
                                  {f"m{i}": np.ones(size, bool) for i in range(3)}, truth)  # fmt: skip
    information = size * ((p * z**2).sum(1) - (p * z).sum(1) ** 2).mean()
    np.testing.assert_allclose(fitted["log_temperatures"], np.log(temperatures), atol=4 / information**0.5)


def test_a_temperature_is_fitted_where_its_modality_is_present():
    """The rows without it, and the other modalities, do not matter; without any row T stays 1."""
    truth, decisions = noisy_decisions(np.random.default_rng(0), 60, (0.3, 0.5))
    half = np.arange(60) < 30
    fitted = CalibratedMean().fit(decisions, {"m0": half, "m1": np.zeros(60, bool)}, truth)["log_temperatures"]
    alone = {"m0": decisions["m0"][half]}
    expected = CalibratedMean().fit(alone, everywhere(alone), truth[half])["log_temperatures"]
    np.testing.assert_array_equal(fitted, [expected[0], 0])


def test_a_modality_without_a_mistake_gets_a_low_temperature_but_not_0():
    truth = np.arange(30) % 3
    decisions = {"m0": np.eye(3)[truth], "m1": np.zeros((30, 3))}
    fitted = CalibratedMean().fit(decisions, everywhere(decisions), truth)
    assert -5 <= fitted["log_temperatures"][0] < -2
    assert np.isfinite(CalibratedMean().apply({"params": fitted}, decisions)).all()
