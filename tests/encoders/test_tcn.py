"""The residual blocks of causal convolutions: their equation, what a state has read, their size."""

import jax
import numpy as np
import pytest

from mmjax.encoders import Tcn
from mmjax.layers.causal import CausalConvolution
from mmjax.types import ModalitySpec

VALUES = np.random.default_rng(0).normal(size=(2, 30, 3)).astype(np.float32)
SPEC = ModalitySpec("speech", "sequence", (30, 3))
VALID = np.ones(2, bool)


def example(layers, width=4):
    encoder = Tcn(SPEC, width=width, encoder_layers=layers)
    return encoder, jax.jit(encoder.init, static_argnums=4)(jax.random.key(0), VALUES, None, VALID, False)


def test_it_is_its_equation():
    encoder, variables = example(layers=2)
    values = VALUES
    for block, dilation in enumerate([1, 2]):
        parameters, residual = variables["params"][f"blocks_{block}"], values
        for index in range(2):
            weights = {"params": parameters[f"convolution_{index}"]}
            residual = np.maximum(CausalConvolution(4, dilation).apply(weights, residual), 0)
        if block == 0:
            values = values @ parameters["shortcut"]["kernel"] + parameters["shortcut"]["bias"]
        values = np.maximum(residual + values, 0)
    encoded = encoder.apply(variables, VALUES, np.array([30, 7]), VALID, False)
    np.testing.assert_allclose(encoded.sequence[0], values[0], atol=1e-5)
    np.testing.assert_allclose(encoded.pooled, np.stack([values[0, -1], values[1, 6]]), atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_state_has_read_as_far_back_as_promised_and_nothing_later(layers):
    encoder, variables = example(layers, width=32)  # wide, so that some relu is open on every path
    step, reach = 28, 4 * (2**layers - 1)

    def state(values):
        return encoder.apply(variables, values, None, VALID, False).sequence[:, step].sum()

    read = np.flatnonzero((jax.grad(state)(VALUES) != 0).any((0, 2)))
    assert (read.min(), read.max()) == (max(step - reach, 0), step)


def test_parameters():
    """Two kernels of 3 with their biases a block; a shortcut where the width changes."""
    _, variables = example(layers=2)
    first, second = 3 * 3 * 4 + 3 * 4 * 4 + 2 * 4 + (3 * 4 + 4), 2 * (3 * 4 * 4 + 4)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == first + second


def test_tokens_are_embedded():
    encoder = Tcn(ModalitySpec("words", "tokens", (5,), vocabulary=10), width=4, token_size=4, encoder_layers=1)
    variables = jax.jit(encoder.init, static_argnums=4)(jax.random.key(0), np.ones((2, 5), int), None, VALID, False)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 10 * 4 + 2 * (3 * 4 * 4 + 4)
