"""Dropout: off when it should be, unbiased, and the same however devices split the batch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.layers.dropout import Dropout

VALUES = np.random.default_rng(0).normal(size=(8, 500)).astype(np.float32)
RNGS = {"dropout": jax.random.key(0)}


@pytest.mark.parametrize("rate, train", [(0.5, False), (0.0, True)])
def test_it_is_off_out_of_training_and_at_rate_zero(rate, train):
    np.testing.assert_array_equal(Dropout(rate).apply({}, VALUES, train), VALUES)


def test_values_are_kept_at_their_rate_and_scaled():
    rate = 0.25
    dropped = np.asarray(Dropout(rate).apply({}, VALUES, True, rngs=RNGS))
    kept = dropped != 0
    np.testing.assert_allclose(dropped[kept], VALUES[kept] / (1 - rate), rtol=1e-6)
    # Six standard deviations of a mean of 4,000 draws.
    assert abs(kept.mean() - (1 - rate)) < 6 * np.sqrt(rate * (1 - rate) / kept.size)


@pytest.mark.parametrize("devices", [1, 2, 8])
def test_the_mask_does_not_depend_on_the_devices(devices):
    whole = Dropout(0.5).apply({}, VALUES, True, rngs=RNGS)

    def on_a_device(values):
        return Dropout(0.5, "device").apply({}, values, True, rngs=RNGS)

    parts = jax.vmap(on_a_device, axis_name="device")(VALUES.reshape(devices, -1, 500))
    np.testing.assert_array_equal(jnp.concatenate(parts), whole)
