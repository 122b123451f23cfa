"""The differences of special functions and their derivatives against forty digits."""

from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import precise
import pytest
import scipy.special

from mmjax.layers.special import digamma_difference, dirichlet_term

EVIDENCE = np.concatenate([[0], np.linspace(0.01, 12, 100), np.geomspace(1e-6, 1e30, 100)]).astype(np.float32)
STARTS = np.concatenate([np.linspace(1, 12, 12), np.geomspace(1, 1e30, 20)]).astype(np.float32)
RISES = np.geomspace(1e-2, 1e30, 25).astype(np.float32)


def by_digits(function, *arguments) -> np.ndarray:
    with localcontext(prec=precise.DIGITS):
        exact = [[Decimal(float(x)) for x in row] for row in np.broadcast(*arguments)]
        return np.float64([function(*row) for row in exact])


@pytest.mark.parametrize("x", [1.0, 2.5, 39.9, 40.0, 1234.5])
def test_the_reference_is_scipys(x):
    """Of numbers that float64 has room for: log Gamma(1234.5) to 1e-12."""
    assert float(precise.log_gamma(x)) == pytest.approx(scipy.special.gammaln(x), rel=1e-14, abs=1e-14)
    assert float(precise.digamma(x)) == pytest.approx(scipy.special.digamma(x), rel=1e-14)
    assert float(precise.trigamma(x)) == pytest.approx(scipy.special.polygamma(1, x), rel=1e-14)


@pytest.mark.parametrize("start", [1, 2, 3, 10, 1000])
def test_dirichlet_term(start):
    """Up to five logarithms with factors of at most start + 3/2, of which half log x may be left: 2e-6 is 3 roundings
    of each. Near 0 what is left out of the series counts, 3e-9.
    """

    def exact(x):
        rise = precise.log_gamma(start + x) - precise.log_gamma(Decimal(start))
        return rise - x * (precise.digamma(start + x) - 1)

    expected = by_digits(exact, EVIDENCE)
    np.testing.assert_allclose(dirichlet_term(EVIDENCE, start), expected, rtol=2e-6, atol=5e-9)
    slopes = jax.vmap(jax.grad(lambda x: dirichlet_term(x, start)))(EVIDENCE)
    np.testing.assert_allclose(slopes, by_digits(lambda x: 1 - x * precise.trigamma(start + x), EVIDENCE), rtol=2e-6)


def test_digamma_difference():
    starts, rises = (array.ravel() for array in np.meshgrid(STARTS, RISES))
    expected = by_digits(lambda a, r: precise.digamma(a + r) - precise.digamma(a), starts, rises)
    np.testing.assert_allclose(digamma_difference(starts, rises), expected, rtol=2e-6)


def test_the_derivatives_of_digamma_difference():
    starts, rises = (array.ravel() for array in np.meshgrid(STARTS, RISES))
    by_start, by_rise = jax.vmap(jax.grad(digamma_difference, (0, 1)))(starts, rises)
    np.testing.assert_allclose(by_rise, by_digits(lambda a, r: precise.trigamma(a + r), starts, rises), rtol=2e-6)
    expected = by_digits(lambda a, r: precise.trigamma(a + r) - precise.trigamma(a), starts, rises)
    # Below 1e-37 float32 has numbers of fewer digits.
    np.testing.assert_allclose(by_start, expected, rtol=1e-5, atol=1e-37)


@pytest.mark.parametrize("evidence", [0.0, 1e-3, 1.0, 1e4])
def test_second_derivatives_are_slopes_of_the_first(evidence):
    """Central differences in float64: a step of 1e-4 of x + 1 leaves errors of 1e-8 of it, squared over 6."""
    with jax.enable_x64(True):
        x, step = jnp.float64(evidence + 0.01), 1e-4 * (evidence + 0.01)
        for function in (lambda x: dirichlet_term(x, 1), lambda x: digamma_difference(x + 1, x)):
            first = jax.grad(function)
            slope = (first(x + step) - first(x - step)) / (2 * step)
            assert jax.grad(first)(x) == pytest.approx(float(slope), rel=1e-5)
