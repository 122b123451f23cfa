"""Digamma and log-gamma for arguments of at least 1, by recurrence and asymptotic series.

XLA's digamma takes 5 times as long on a CPU, and its derivative 19 times. Concentrations
alpha = evidence + 1, which these are for, never go below 1; there the functions lose accuracy, and
at 0 and below they are wrong.

References:
  Abramowitz and Stegun, "Handbook of Mathematical Functions", 1964: recurrences 6.1.15, 6.3.5 and
  6.4.6; series 6.1.41, 6.3.18 and 6.4.11.
"""

import math

import jax
import jax.numpy as jnp

from mmjax.types import Array

STEPS = 4  # x below it moves up by as many; from there the series are exact to float32


@jax.custom_jvp
def log_gamma(x: Array) -> Array:
    """log Gamma(x), elementwise, for x >= 1; its derivative is `digamma`.

    In float32 the error stays below 3e-6 up to x = 10, and below 1e-6 of x log x from there.
    """
    small, x, y = _moved(x)
    inverse, square = _inverse_and_square(y)
    series = inverse * (1 / 12 - square * (1 / 360 - square / 1260))
    moved = (y - 0.5) * jnp.log(y) - y + 0.5 * math.log(2 * math.pi) + series
    return moved - jnp.log(jnp.where(small, math.prod(x + step for step in range(STEPS)), 1))


@jax.custom_jvp
def digamma(x: Array) -> Array:
    """The derivative of log Gamma, elementwise, for x >= 1; its own is `trigamma`.

    In float32 the error stays below 1.4e-6 up to x = 1e6.
    """
    small, x, y = _moved(x)
    inverse, square = _inverse_and_square(y)
    series = 0.5 * inverse + square * (1 / 12 - square * (1 / 120 - square / 252))
    return jnp.log(y) - series - jnp.where(small, sum(1 / (x + step) for step in range(STEPS)), 0)


def trigamma(x: Array) -> Array:
    """The derivative of `digamma`, elementwise, for x >= 1; in float32 the error stays below 5e-7."""
    small, x, y = _moved(x)
    inverse, square = _inverse_and_square(y)
    series = inverse + 0.5 * square + inverse * square * (1 / 6 - square * (1 / 30 - square / 42))
    return series + jnp.where(small, sum(1 / (x + step) ** 2 for step in range(STEPS)), 0)


log_gamma.defjvps(lambda tangent, _, x: tangent * digamma(x))
digamma.defjvps(lambda tangent, _, x: tangent * trigamma(x))


def _moved(x: Array) -> tuple[Array, Array, Array]:
    """Whether x is too small for the series; x; and x where the series is taken."""
    small = x < STEPS
    # The steps are only taken where x is small: elsewhere their product may overflow.
    return small, jnp.where(small, x, 1), jnp.where(small, x + STEPS, x)


def _inverse_and_square(y: Array) -> tuple[Array, Array]:
    inverse = 1 / y
    return inverse, inverse * inverse
