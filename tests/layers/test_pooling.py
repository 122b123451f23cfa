"""Pooling against NumPy, on shapes that do and do not divide, with and without padding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.layers.pooling import average_pool, last_valid, masked_mean, max_pool

VALUES = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype(np.float32)
MASK = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
STEPS = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)


def patches(height, width):
    """[B, rows, columns, height x width, channels], by loops."""
    rows, columns = VALUES.shape[1] // height, VALUES.shape[2] // width
    corners = [[(r * height, c * width) for c in range(columns)] for r in range(rows)]
    boxes = [[VALUES[:, y : y + height, x : x + width].reshape(2, -1, 3) for y, x in row] for row in corners]
    return np.array(boxes).transpose(2, 0, 1, 3, 4)


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_max_pool_is_the_largest_of_each_patch(window):
    np.testing.assert_array_equal(max_pool(VALUES, window), patches(window, window).max(3))


@pytest.mark.parametrize("height, width", [(1, 1), (2, 3), (3, 2), (7, 6)])
def test_average_pool_is_the_mean_of_each_patch(height, width):
    # Means of at most 42 numbers of order 1.
    np.testing.assert_allclose(average_pool(VALUES, height, width), patches(height, width).mean(3), atol=1e-6)


def test_max_pool_gives_its_gradient_to_the_largest():
    gradient = jax.grad(lambda v: max_pool(v, 2).sum())(VALUES)
    largest = np.repeat(np.repeat(max_pool(VALUES, 2), 2, 1), 2, 2)
    np.testing.assert_array_equal(gradient[:, :6], VALUES[:, :6] == largest)
    np.testing.assert_array_equal(gradient[:, 6:], 0)


def test_masked_mean_is_the_mean_of_the_valid_steps():
    expected = [STEPS[0, :2].mean(0), [0, 0], STEPS[2].mean(0)]
    np.testing.assert_allclose(masked_mean(STEPS, MASK), expected, atol=1e-6)


def test_masked_mean_takes_any_number_of_middle_axes():
    maps = np.repeat(STEPS[:, :, None], 5, axis=2)
    np.testing.assert_allclose(masked_mean(maps, MASK), masked_mean(STEPS, MASK), atol=1e-6)
    np.testing.assert_allclose(masked_mean(maps, None), maps.mean((1, 2)), atol=1e-6)
    np.testing.assert_array_equal(masked_mean(STEPS[:, 0], None), STEPS[:, 0])


def test_last_valid_is_the_last_valid_step():
    np.testing.assert_array_equal(last_valid(STEPS, MASK), [STEPS[0, 1], [0, 0], STEPS[2, 3]])


@pytest.mark.parametrize("pool", [masked_mean, last_valid])
def test_nan_in_padding_reaches_neither_value_nor_gradient(pool):
    spoiled = jnp.where(MASK[:, :, None], STEPS, jnp.nan)
    np.testing.assert_array_equal(pool(spoiled, MASK), pool(STEPS, MASK))
    assert np.isfinite(jax.grad(lambda v: pool(v, MASK).sum())(spoiled)).all()
