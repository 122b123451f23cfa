"""The residual block's equation, and the network around it."""

import jax
import numpy as np
import pytest
from jax import lax

from mmjax.encoders import ResNet
from mmjax.encoders.residual import ResidualBlock
from mmjax.types import ModalitySpec

RANDOM = np.random.default_rng(0)
VALID = np.ones(2, bool)


def randomised(variables):
    """Every variable random and positive, running statistics too."""
    return jax.tree.map(lambda leaf: RANDOM.uniform(0.1, 1, leaf.shape).astype(np.float32), variables)


@pytest.mark.parametrize("channels, stride", [(3, 1), (4, 1), (3, 2), (5, 2)])
def test_a_block_is_its_equation(channels, stride):
    block, values = ResidualBlock(channels, stride), RANDOM.normal(size=(2, 5, 4, 3)).astype(np.float32)
    variables = randomised(block.init(jax.random.key(0), values, VALID, False))
    parameters, statistics = (jax.tree.map(np.float64, variables[name]) for name in ("params", "batch_stats"))

    def convolved(name, x):
        kernel = parameters[f"convolution_{name}"]["kernel"]
        maps = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return np.asarray(maps)

    def norm(name, x):
        own, running = parameters[f"norm_{name}"], statistics[f"norm_{name}"]
        return (x - running["mean"]) / np.sqrt(running["variance"] + 1e-5) * own["scale"] + own["bias"]

    with jax.enable_x64(True):
        x = np.float64(values)
        hidden = np.maximum(norm("0", convolved("0", x)[:, ::stride, ::stride]), 0)
        residual = norm("1", convolved("1", hidden))
        if channels != 3 or stride == 2:
            x = norm("shortcut", x[:, ::stride, ::stride] @ parameters["shortcut"]["kernel"])
        expected = np.maximum(residual + x, 0)
    # Float32 against float64: two sums of at most 45 products, of values up to some 100.
    np.testing.assert_allclose(block.apply(variables, values, VALID, False), expected, rtol=1e-4, atol=1e-4)


def test_longer_padding_changes_nothing():
    """The rows of a sequence that are padding are like those outside the map."""
    inputs, length = RANDOM.normal(size=(2, 9, 8)).astype(np.float32), np.array([9, 5])
    short, long = (
        ResNet(ModalitySpec("speech", "sequence", (steps, 8)), channels=2, encoder_layers=1, width=4)
        for steps in (9, 14)
    )
    variables = randomised(jax.jit(short.init, static_argnums=4)(jax.random.key(0), inputs, length, VALID, False))
    padded = np.pad(inputs, ((0, 0), (0, 5), (0, 0)))
    one, other = (
        jax.jit(lambda x, encoder=encoder: encoder.apply(variables, x, length, VALID, True, mutable="batch_stats")[0])(
            x
        )
        for encoder, x in [(short, inputs), (long, padded)]
    )
    np.testing.assert_allclose(other.pooled, one.pooled, rtol=1e-5, atol=1e-5)


def test_stages_halve_the_sides_and_double_the_channels():
    encoder = ResNet(ModalitySpec("scan", "image", (9, 6, 1)), channels=2, encoder_layers=1)
    inputs = RANDOM.normal(size=(2, 9, 6, 1)).astype(np.float32)
    bound = encoder.bind(jax.jit(encoder.init, static_argnums=4)(jax.random.key(0), inputs, None, VALID, False))
    features, shapes = bound.start(inputs, None, VALID), []
    for index in range(encoder.stages):
        features = bound.stage(index, features, False)
        shapes.append(features.values.shape[1:])
    assert shapes == [(9, 6, 2), (5, 3, 4), (3, 2, 8)]


@pytest.mark.parametrize("blocks", [1, 2])
def test_parameters(blocks):
    encoder = ResNet(ModalitySpec("scan", "image", (8, 8, 3)), channels=4, encoder_layers=blocks, width=5)
    inputs = np.zeros((2, 8, 8, 3), np.float32)
    variables = jax.eval_shape(lambda: encoder.init(jax.random.key(0), inputs, None, VALID, False))

    def block(before, after):
        shortcut = before * after + 2 * after if before != after else 0
        return 9 * before * after + 9 * after * after + 4 * after + shortcut

    widths = [(4, 4), (4, 8), (8, 16)]
    bodies = sum(block(before, after) + (blocks - 1) * block(after, after) for before, after in widths)
    expected = 9 * 3 * 4 + 2 * 4 + bodies + 16 * 5 + 5
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == expected
