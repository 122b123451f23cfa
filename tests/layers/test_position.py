"""The sinusoids' defining properties."""

import numpy as np
import pytest

from mmjax.layers.position import sinusoids


def test_they_are_the_equation():
    table = sinusoids(50, 6)
    for column, period in enumerate(10_000 ** (np.array([0, 0, 2, 2, 4, 4]) / 6)):
        function = np.cos if column % 2 else np.sin
        np.testing.assert_allclose(table[:, column], function(np.arange(50) / period), atol=1e-6)


@pytest.mark.parametrize("width", [1, 5, 8])
def test_a_longer_table_begins_with_a_shorter_one(width):
    assert sinusoids(9, width).shape == (9, width)
    np.testing.assert_array_equal(sinusoids(9, width)[:4], sinusoids(4, width))


def test_a_product_of_two_depends_on_their_distance_alone():
    table = sinusoids(30, 16).astype(np.float64)
    products = table @ table.T
    # Float32 entries: eight pairs, each within 1e-7 of cos(distance / period).
    for distance in (0, 1, 7):
        np.testing.assert_allclose(np.diagonal(products, distance), products[0, distance], atol=1e-5)
