"""The special functions and their derivatives against SciPy's in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma as exact_digamma
from scipy.special import gammaln, polygamma

from mmjax.layers.special import digamma, log_gamma, trigamma

X = np.concatenate([np.linspace(1, 12, 4001), np.geomspace(1, 1e6, 4001)]).astype(np.float32)
EXACT_X = X.astype(np.float64)


def test_digamma():
    np.testing.assert_allclose(digamma(X), exact_digamma(EXACT_X), rtol=0, atol=1.4e-6)


def test_trigamma():
    np.testing.assert_allclose(trigamma(X), polygamma(1, EXACT_X), rtol=0, atol=5e-7)


def test_log_gamma():
    # It is a difference of terms of size x log x, each rounded to float32.
    tolerance = np.maximum(3e-6, 1e-6 * EXACT_X * np.log(EXACT_X))
    assert (np.abs(log_gamma(X) - gammaln(EXACT_X)) < tolerance).all()


@pytest.mark.parametrize("function, derivative", [(log_gamma, digamma), (digamma, trigamma)])
def test_the_derivative_is_the_next_function(function, derivative):
    np.testing.assert_array_equal(jax.vmap(jax.grad(function))(X), derivative(X))


def test_the_derivative_of_trigamma_is_finite_and_negative():
    gradient = jax.vmap(jax.grad(trigamma))(X)
    assert np.isfinite(gradient).all() and (gradient < 0).all()
    # Two derivatives of a series good to 1e-7 relative: their error grows with every derivative.
    np.testing.assert_allclose(gradient, polygamma(2, EXACT_X), rtol=1e-4)


@pytest.mark.parametrize("function", [log_gamma, digamma, trigamma])
def test_float64_is_exact_to_the_series_own_error(function):
    with jax.enable_x64(True):
        values = function(jnp.asarray(EXACT_X))
    exact = {log_gamma: gammaln, digamma: exact_digamma, trigamma: lambda x: polygamma(1, x)}[function](EXACT_X)
    # The first term left out, where the series begins (x = 4): at most 1/30 / 4^9 = 1.3e-7.
    np.testing.assert_allclose(values, exact, rtol=1e-12, atol=1.3e-7)
