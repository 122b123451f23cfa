"""A video is its frames as images, and then a sequence."""

import jax
import numpy as np
import pytest

from mmjax.encoders import Cnn, Gru, Video
from mmjax.layers.pooling import last_valid
from mmjax.types import ModalitySpec

FRAMES = np.random.default_rng(0).normal(size=(2, 4, 6, 5, 1)).astype(np.float32)
LENGTH, VALID = np.array([4, 2]), np.ones(2, bool)
FIELDS = {"channels": 3, "width": 4}


@pytest.mark.parametrize("bidirectional", [False, True])
def test_it_is_cnn_on_every_frame_and_then_gru(bidirectional):
    recurrent = {"width": 4, "encoder_layers": 2, "bidirectional": bidirectional}
    encoder = Video(ModalitySpec("gait", "video", (4, 6, 5, 1)), **{**FIELDS, **recurrent})
    variables = jax.jit(encoder.init, static_argnums=4)(jax.random.key(0), FRAMES, LENGTH, VALID, False)
    parameters = variables["params"]
    cnn, gru = (
        Cnn(ModalitySpec("f", "image", (6, 5, 1)), **FIELDS),
        Gru(ModalitySpec("s", "sequence", (4, 4)), **recurrent),
    )
    frames = [
        cnn.apply({"params": parameters["frame"]}, FRAMES[:, frame], None, VALID, False).pooled for frame in range(4)
    ]
    expected = gru.apply({"params": parameters["time"]}, np.stack(frames, axis=1), LENGTH, VALID, False)
    encoded = encoder.apply(variables, FRAMES, LENGTH, VALID, False)
    np.testing.assert_allclose(encoded.pooled, expected.pooled, atol=1e-5)
    np.testing.assert_allclose(encoded.sequence[encoded.mask], expected.sequence[expected.mask], atol=1e-5)
    if not bidirectional:
        np.testing.assert_array_equal(encoded.pooled, last_valid(encoded.sequence, encoded.mask))


def test_parameters():
    encoder = Video(ModalitySpec("gait", "video", (4, 6, 5, 1)), encoder_layers=2, **FIELDS)
    variables = jax.jit(encoder.init, static_argnums=4)(jax.random.key(0), FRAMES, LENGTH, VALID, False)
    cnn = 9 * 3 + 3 + 2 * 1 * 3 * 4 + 4  # a 6 x 5 frame leaves a map of 2 x 1
    gru = 2 * 3 * 4 * (4 + 4 + 2)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == cnn + gru
