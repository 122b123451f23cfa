"""The transformer as positions and blocks, its patches, and the padding it does not see."""

import flax.linen as nn
import jax
import numpy as np
import pytest

from mmjax.encoders import Transformer
from mmjax.encoders.transformer import patches
from mmjax.layers.attention import TransformerBlock
from mmjax.layers.position import sinusoids
from mmjax.types import ModalitySpec

FIELDS = {"width": 6, "heads": 2, "encoder_layers": 2}
SPECS = {
    "tokens": ModalitySpec("words", "tokens", (5,), vocabulary=10),
    "sequence": ModalitySpec("speech", "sequence", (5, 3)),
    "image": ModalitySpec("scan", "image", (5, 6, 2)),
}
VALID = np.ones(3, bool)


def example(kind):
    """The encoder, inputs with their lengths, and its variables."""
    random, spec = np.random.default_rng(0), SPECS[kind]
    encoder, shape = Transformer(spec, **FIELDS), (3, *spec.shape)
    inputs = random.integers(1, 10, shape) if kind == "tokens" else random.normal(size=shape).astype(np.float32)
    length = np.array([5, 3, 1]) if spec.has_length else None
    return (
        encoder,
        inputs,
        length,
        jax.jit(encoder.init, static_argnums=4)(jax.random.key(0), inputs, length, VALID, False),
    )


@pytest.mark.parametrize("kind", SPECS)
def test_it_is_positions_then_blocks_then_a_norm(kind):
    encoder, inputs, length, variables = example(kind)
    parameters = variables["params"]
    if kind == "tokens":
        values = np.asarray(parameters["embed"]["embedding"])[np.where(np.arange(5) < length[:, None], inputs, 0)]
    else:
        steps = patches(inputs, 4) if kind == "image" else inputs
        values = steps @ parameters["embed"]["kernel"] + parameters["embed"]["bias"]
    values = values + sinusoids(*values.shape[1:])
    mask = np.ones(values.shape[:2], bool) if length is None else np.arange(5) < length[:, None]
    for block in ("blocks_0", "blocks_1"):
        values = TransformerBlock(6, 2).apply({"params": parameters[block]}, values, mask, False)
    values = nn.LayerNorm().apply({"params": parameters["norm"]}, values)
    encoded = encoder.apply(variables, inputs, length, VALID, False)
    np.testing.assert_allclose(encoded.sequence[mask], values[mask], atol=1e-5)
    for row in range(3):
        np.testing.assert_allclose(encoded.pooled[row], values[row][mask[row]].mean(0), atol=1e-5)


def test_patches_are_squares_row_by_row():
    images = np.random.default_rng(0).normal(size=(2, 5, 6, 2)).astype(np.float32)
    padded = np.pad(images, ((0, 0), (0, 3), (0, 2), (0, 0)))
    corners = [(y, x) for y in (0, 4) for x in (0, 4)]
    expected = np.stack([padded[:, y : y + 4, x : x + 4].reshape(2, -1) for y, x in corners], axis=1)
    np.testing.assert_array_equal(patches(images, 4), expected)


def test_longer_padding_changes_nothing():
    short, inputs, length, variables = example("tokens")
    long = Transformer(ModalitySpec("words", "tokens", (8,), vocabulary=10), **FIELDS)
    one = short.apply(variables, inputs, length, VALID, False)
    other = long.apply(variables, np.pad(inputs, ((0, 0), (0, 3))), length, VALID, False)
    np.testing.assert_allclose(other.pooled, one.pooled, atol=1e-6)


def test_the_order_of_steps_matters():
    encoder, inputs, _, variables = example("sequence")
    forth, back = (encoder.apply(variables, x, None, VALID, False).pooled for x in (inputs, inputs[:, ::-1]))
    assert np.abs(forth - back).max() > 1e-2


@pytest.mark.parametrize("kind, embedding", [("tokens", 10 * 6), ("sequence", 3 * 6 + 6), ("image", 16 * 2 * 6 + 6)])
def test_parameters(kind, embedding):
    """Each block's four projections (keys without a bias), two norms and an mlp of twice the width; a last norm."""
    block = 4 * 6 * 6 + 3 * 6 + 2 * 2 * 6 + (6 * 12 + 12) + (12 * 6 + 6)
    variables = example(kind)[-1]
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == embedding + 2 * block + 2 * 6
