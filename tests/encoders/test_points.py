"""PointNet's equation, and that its points are a set."""

import jax
import numpy as np

from mmjax.encoders import PointNet
from mmjax.types import ModalitySpec

RANDOM = np.random.default_rng(0)
POINTS = RANDOM.normal(size=(3, 6, 2)).astype(np.float32)
LENGTH, VALID = np.array([6, 4, 0]), np.ones(3, bool)
ENCODER = PointNet(ModalitySpec("radar", "points", (6, 2)), width=5, encoder_layers=2)
# Biases too: with those of zero that it starts from, padding would be as good as masked.
VARIABLES = jax.tree.map(
    lambda leaf: RANDOM.normal(size=leaf.shape).astype(np.float32),
    ENCODER.init(jax.random.key(0), POINTS, LENGTH, VALID, False),
)


def test_it_is_its_equation():
    parameters = VARIABLES["params"]

    def layer(name, values):
        return np.maximum(values @ parameters[name]["kernel"] + parameters[name]["bias"], 0)

    points = layer("shared_1", layer("shared_0", POINTS))
    largest = np.stack([points[0].max(0), points[1, :4].max(0), np.zeros(5)])
    encoded = ENCODER.apply(VARIABLES, POINTS, LENGTH, VALID, False)
    np.testing.assert_allclose(encoded.pooled, layer("dense", largest), atol=1e-5)


def test_the_order_of_points_does_not_matter():
    shuffled = POINTS.copy()
    for row, points in zip(shuffled, LENGTH):
        row[:points] = row[RANDOM.permutation(points)]
    assert (shuffled != POINTS).any()
    one, other = (ENCODER.apply(VARIABLES, points, LENGTH, VALID, False).pooled for points in (POINTS, shuffled))
    np.testing.assert_array_equal(one, other)


def test_a_point_twice_is_the_point_once():
    twice = np.concatenate([POINTS[:1, :3], POINTS[:1, :3]], axis=1)
    one, other = (
        ENCODER.apply(VARIABLES, points, length, VALID[:1], False).pooled
        for points, length in [(POINTS[:1], np.array([3])), (twice, np.array([6]))]
    )
    np.testing.assert_array_equal(one, other)


def test_parameters():
    expected = (2 * 5 + 5) + (5 * 5 + 5) + (5 * 5 + 5)
    assert sum(leaf.size for leaf in jax.tree.leaves(VARIABLES)) == expected
