"""The causal convolution as its sum, and what it cannot see."""

import jax
import numpy as np
import pytest

from mmjax.layers.causal import CausalConvolution

VALUES = np.random.default_rng(0).normal(size=(2, 9, 3)).astype(np.float32)
DILATIONS = pytest.mark.parametrize("dilation", [1, 2, 5])


def layer_of(dilation):
    layer = CausalConvolution(4, dilation)
    parameters = layer.init(jax.random.key(0), VALUES)["params"]
    return layer, {"params": {**parameters, "bias": np.arange(4, dtype=np.float32)}}


@DILATIONS
def test_it_is_the_sum(dilation):
    layer, variables = layer_of(dilation)
    kernel, bias = np.float64(variables["params"]["kernel"]), variables["params"]["bias"]
    expected = np.zeros((2, 9, 4)) + bias
    for t in range(9):
        for k in range(3):
            if t - k * dilation >= 0:
                expected[:, t] += VALUES[:, t - k * dilation] @ kernel[k]
    np.testing.assert_allclose(layer.apply(variables, VALUES), expected, atol=1e-5)  # nine terms of order 1


@DILATIONS
def test_an_output_reads_three_steps_none_of_them_later(dilation):
    layer, variables = layer_of(dilation)
    step = 8
    gradient = jax.grad(lambda values: layer.apply(variables, values)[:, step].sum())(VALUES)
    read = np.flatnonzero((gradient != 0).any((0, 2)))
    assert list(read) == [step - k * dilation for k in (2, 1, 0) if step - k * dilation >= 0]


def test_parameters():
    _, variables = layer_of(1)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 3 * 3 * 4 + 4
