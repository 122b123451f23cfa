"""What holds for every decoder, and each one's equation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.config import DEFAULTS
from mmjax.decoders import DECODERS
from mmjax.registry import build

B, d = 16, 7
FUSED = np.random.default_rng(0).normal(size=(B, d)).astype(np.float32)
CONFIG = DEFAULTS.replace(width=8, channels=3, dropout=0.3)
RNGS = {"dropout": jax.random.key(1)}
EVERY_DECODER = pytest.mark.parametrize("name", DECODERS)
OUTPUTS = pytest.mark.parametrize("outputs", [1, 3])
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # float32 sums of some 20 terms of order 1, in another order


def decoder_of(name, outputs, axis_name=None):
    decoder = build(DECODERS, "decoder", name, CONFIG, outputs=outputs, axis_name=axis_name)
    return decoder, decoder.init(jax.random.key(0), FUSED, False)


@EVERY_DECODER
@OUTPUTS
def test_examples_do_not_see_each_other(name, outputs):
    decoder, variables = decoder_of(name, outputs)
    logits = decoder.apply(variables, FUSED, False)
    assert logits.shape == (B, outputs)
    np.testing.assert_allclose(decoder.apply(variables, FUSED[::-1], False), logits[::-1], **CLOSE)
    np.testing.assert_allclose(decoder.apply(variables, FUSED[2:3], False), logits[2:3], **CLOSE)


@EVERY_DECODER
@OUTPUTS
def test_every_parameter_gets_a_gradient(name, outputs):
    decoder, variables = decoder_of(name, outputs)
    gradient = jax.grad(lambda v: (decoder.apply(v, FUSED, True, rngs=RNGS) ** 2).sum())(variables)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        assert np.abs(leaf).max() > 1e-4, jax.tree_util.keystr(path)


@EVERY_DECODER
def test_seeds_side_by_side_and_compiled_are_the_seeds_one_by_one(name):
    decoder, _ = decoder_of(name, 3)
    seeds = [decoder.init(jax.random.key(seed), FUSED, False) for seed in range(2)]
    together = jax.jit(jax.vmap(lambda v: decoder.apply(v, FUSED, True, rngs=RNGS)))(
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *seeds)
    )
    one_by_one = np.stack([decoder.apply(variables, FUSED, True, rngs=RNGS) for variables in seeds])
    np.testing.assert_allclose(together, one_by_one, **CLOSE)


@EVERY_DECODER
def test_devices_that_split_the_batch_are_one_device(name):
    decoder, variables = decoder_of(name, 3)
    split, _ = decoder_of(name, 3, "device")
    parts = jax.vmap(lambda fused: split.apply(variables, fused, True, rngs=RNGS), axis_name="device")(
        FUSED.reshape(4, -1, d)
    )
    np.testing.assert_allclose(parts.reshape(B, 3), decoder.apply(variables, FUSED, True, rngs=RNGS), **CLOSE)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("dense", d * 3 + 3),
        ("mlp", d * 8 + 8 + 8 * 3 + 3),
        ("cnn", 3 * 3 + 3 + d * 3 * 3 + 3),
        ("rnn", 3 * 8 * (d + 8 + 2) + 8 + 1),
    ],
)
def test_parameters(name, expected):
    assert sum(leaf.size for leaf in jax.tree.leaves(decoder_of(name, 3)[1])) == expected


def test_parameters_of_an_image_and_their_gradients():
    """From 7 features to a map of 2 x 3 x 6, whose channels become 3 and then 2."""
    decoder = build(DECODERS, "decoder", "cnn", CONFIG, outputs=7 * 9 * 2, shape=(7, 9, 2))
    variables = decoder.init(jax.random.key(0), FUSED, False)
    expected = (d + 1) * 2 * 3 * 6 + (4 * 4 * 6 * 3 + 3) + (4 * 4 * 3 * 2 + 2)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == expected
    gradient = jax.grad(lambda v: (decoder.apply(v, FUSED, True, rngs=RNGS) ** 2).sum())(variables)
    assert all(np.abs(leaf).max() > 1e-4 for leaf in jax.tree.leaves(gradient))


def test_cnn_is_a_kernel_slid_over_the_features():
    decoder, variables = decoder_of("cnn", 3)
    parameters = jax.tree.map(np.asarray, variables["params"])
    kernel, around = parameters["convolution"]["kernel"][:, 0, 0], np.pad(FUSED, ((0, 0), (1, 1)))
    signal = np.stack([around[:, i : i + 3] @ kernel for i in range(d)], axis=1) + parameters["convolution"]["bias"]
    head = parameters["head"]
    expected = np.maximum(signal, 0).reshape(B, -1) @ head["kernel"] + head["bias"]
    np.testing.assert_allclose(decoder.apply(variables, FUSED, False), expected, **CLOSE)


def test_rnn_says_the_same_first_outputs_whatever_its_horizon():
    short, variables = decoder_of("rnn", 2)
    long, _ = decoder_of("rnn", 5)
    logits = long.apply(variables, FUSED, False)
    np.testing.assert_allclose(short.apply(variables, FUSED, False), logits[:, :2], **CLOSE)
    assert (np.abs(np.diff(logits, axis=1)) > 1e-6).all(1).any()  # and steps differ
