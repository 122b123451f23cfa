"""The article's cnn, MultiBench's LeNet, and the tokens both hand to attention."""

import jax
import numpy as np
import pytest
from jax import lax

from mmjax.encoders import Cnn, LeNet
from mmjax.errors import InputError
from mmjax.types import ModalitySpec

RANDOM = np.random.default_rng(0)


def run(encoder, batch=2, length=None):
    inputs = RANDOM.normal(size=(batch, *encoder.spec.shape)).astype(np.float32)
    arguments = (inputs, length, np.ones(batch, bool), False)
    variables = encoder.init(jax.random.key(0), *arguments)
    return inputs, variables, encoder.apply(variables, *arguments)


def image(*shape):
    return ModalitySpec("scan", "image", shape)


def count(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))


def test_the_articles_cnn_is_a_convolution_with_relu_flattened():
    encoder = Cnn(image(28, 28, 1), channels=32, cnn_pool=1, cnn_dense=False)
    inputs, variables, encoded = run(encoder)
    kernel, bias = variables["params"]["convolution"]["kernel"], variables["params"]["convolution"]["bias"]
    maps = lax.conv_general_dilated(inputs, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(encoded.pooled, np.maximum(maps + bias, 0).reshape(2, -1), atol=1e-5)
    assert encoded.pooled.shape == (2, 26 * 26 * 32)
    assert count(variables) == 320  # as Keras counts Conv2D(32, 3) on one channel


def test_the_cnns_dense_layer_reads_the_pooled_map():
    _, variables, encoded = run(Cnn(image(28, 28, 1), channels=8, cnn_pool=2, cnn_dense=True, width=16))
    assert encoded.pooled.shape == (2, 16)
    assert count(variables) == 3 * 3 * 8 + 8 + 13 * 13 * 8 * 16 + 16


@pytest.mark.parametrize("side, blocks", [(4, 1), (10, 1), (12, 2), (28, 3), (112, 5)])
def test_lenet_has_a_block_for_each_halving_down_to_three_pixels(side, blocks):
    assert LeNet(image(side, side, 1)).stages == blocks


def test_lenets_parameters():
    """5 x 5 kernels without bias, a scale and a bias a channel, and the dense layer over 3 x 3 x 24."""
    _, variables, _ = run(LeNet(image(28, 28, 1), width=16))
    kernels = 25 * (1 * 6 + 6 * 12 + 12 * 24)
    assert count(variables) == kernels + 2 * (6 + 12 + 24) + 3 * 3 * 24 * 16 + 16


@pytest.mark.parametrize("encoder", [Cnn, LeNet])
@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 40, 3)])
def test_the_map_becomes_at_most_seven_by_seven_tokens(encoder, shape):
    _, _, encoded = run(encoder(image(*shape)))
    assert 1 <= encoded.sequence.shape[1] <= 49


@pytest.mark.parametrize("encoder", [Cnn, LeNet])
def test_tokens_of_padding_are_masked(encoder):
    spec = ModalitySpec("speech", "sequence", (32, 32))
    _, _, encoded = run(encoder(spec), length=np.array([32, 9]))
    side = int(np.sqrt(encoded.mask.shape[1]))
    full, padded = encoded.mask.reshape(2, side, side)
    assert full.all()
    # A row of tokens is valid as a whole, and there are as many as 9 of 32 steps make, rounded up.
    rows = padded.all(1)
    assert (rows == padded.any(1)).all() and rows.sum() == np.ceil(9 / 32 * side)


@pytest.mark.parametrize("encoder, shape", [(Cnn, (3, 28, 1)), (LeNet, (28, 1, 1))])
def test_an_image_too_small_is_refused(encoder, shape):
    with pytest.raises(InputError, match="'scan' of shape .* needs at least"):
        run(encoder(image(*shape)))
