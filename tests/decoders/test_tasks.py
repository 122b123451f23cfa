"""Each decoder learns what it is for: a few steps on a small task, against the best answer that ignores F."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import lax

from mmjax.decoders import DECODERS
from mmjax.errors import InputError

N = 96
RANDOM = np.random.default_rng(0)


def trained(decoder, fused, target, loss, steps, rate=1e-2):
    """What the decoder says of `fused` after some steps of Adam on all the examples at once."""
    fused, optimizer = jnp.float32(fused), optax.adam(rate)
    variables = decoder.init(jax.random.key(0), fused, False)

    def step(carry, _):
        variables, state = carry
        gradient = jax.grad(lambda v: loss(decoder.apply(v, fused, True), target).mean())(variables)
        updates, state = optimizer.update(gradient, state)
        return (optax.apply_updates(variables, updates), state), None

    run = jax.jit(lambda variables: lax.scan(step, (variables, optimizer.init(variables)), None, steps)[0][0])
    return np.asarray(decoder.apply(run(variables), fused, False))


def test_dense_finds_a_linear_map():
    fused = RANDOM.normal(size=(N, 4))
    target = fused @ RANDOM.normal(size=(4, 2)) + 1
    outputs = trained(DECODERS["dense"](2), fused, target, optax.squared_error, 500, 0.05)
    assert ((outputs - target) ** 2).mean() < 1e-3 * target.var(0).mean()


def test_mlp_finds_what_no_line_separates():
    fused = RANDOM.choice([-1.0, 1.0], (N, 2))
    label = (fused[:, 0] == fused[:, 1]).astype(int)
    for name, separates in [("mlp", True), ("dense", False)]:
        logits = trained(DECODERS[name](2), fused, label, optax.softmax_cross_entropy_with_integer_labels, 100)
        assert ((logits.argmax(1) == label).mean() == 1) == separates


def test_cnn_names_the_shape_in_a_signal():
    """A rising or a falling ramp, wherever it stands."""
    label, place = RANDOM.integers(2, size=N), RANDOM.integers(12, size=N)
    ramp = np.array([1.0, 2.0, 3.0])
    fused = 0.1 * RANDOM.normal(size=(N, 14))
    for row, (falling, start) in enumerate(zip(label, place)):
        fused[row, start : start + 3] += ramp[::-1] if falling else ramp
    logits = trained(
        DECODERS["cnn"](2, channels=4), fused, label, optax.softmax_cross_entropy_with_integer_labels, 150, 0.02
    )
    assert (logits.argmax(1) == label).mean() > 0.95


def test_cnn_draws_an_image():
    """A blot of two colours, of which F tells the place and the size."""
    height, width = 9, 7  # neither is a multiple of 4
    size = RANDOM.uniform(1, 2, N)
    place = RANDOM.uniform(2, [height - 2, width - 2], (N, 2))
    distance = ((np.indices((height, width)).transpose(1, 2, 0) - place[:, None, None]) ** 2).sum(-1)
    blot = np.exp(-distance / size[:, None, None] ** 2)
    images = np.stack([blot, 1 - blot], axis=-1)
    fused = np.concatenate([place / 4 - 1, size[:, None]], axis=1)
    decoder = DECODERS["cnn"](height * width * 2, channels=4, shape=(height, width, 2))
    drawn = trained(decoder, fused, images, optax.squared_error, 150, 0.02)
    assert drawn.shape == images.shape
    assert ((drawn - images) ** 2).mean() < 0.5 * images.var(0).mean()


@pytest.mark.parametrize("shape, outputs", [((4, 4), 16), ((4, 4, 2), 16)])
def test_an_image_of_another_size_is_refused(shape, outputs):
    with pytest.raises(InputError, match=r"shape \(4, 4.* is not accepted for 16 outputs"):
        DECODERS["cnn"](outputs, shape=shape)


def test_rnn_continues_a_wave():
    """Eight values ahead, of a wave whose frequency and phase F tells: the mean wave says little of them."""
    frequency, phase = RANDOM.uniform(0.4, 0.8, N), RANDOM.uniform(0, 2 * np.pi, N)
    waves = np.sin(frequency[:, None] * np.arange(8) + phase[:, None])
    fused = np.stack([np.sin(phase), np.cos(phase), 5 * frequency - 3], axis=1)
    forecast = trained(DECODERS["rnn"](8, width=16), fused, waves, optax.squared_error, 250, 0.02)
    assert ((forecast - waves) ** 2).mean() < 0.2 * waves.var(0).mean()


def test_rnn_labels_a_sequence():
    """Which side of zero the wave is on, step by step."""
    phase = RANDOM.uniform(0, 2 * np.pi, N)
    labels = np.sin(0.8 * np.arange(6) + phase[:, None]) > 0
    fused = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    logits = trained(DECODERS["rnn"](6, width=12), fused, labels, optax.sigmoid_binary_cross_entropy, 150, 0.02)
    commonest = np.maximum(labels.mean(0), 1 - labels.mean(0)).mean()
    assert commonest < 0.7 and ((logits > 0) == labels).mean() > 0.9
