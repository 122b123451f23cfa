"""BatchNorm against NumPy on the valid rows alone, and the same however devices split the batch."""

import jax
import numpy as np
import pytest

from mmjax.layers.batch_norm import BatchNorm

VALUES = np.random.default_rng(0).normal(3, 2, size=(8, 4, 3)).astype(np.float32)
VALID = np.array([1, 1, 1, 0, 0, 1, 0, 0], bool)
STATE = BatchNorm().init(jax.random.key(0), VALUES, VALID, False)


def train(values, valid, axis_name=None):
    outputs, changed = BatchNorm(axis_name).apply(STATE, values, valid, True, mutable=["batch_stats"])
    return outputs, changed["batch_stats"]


def test_statistics_are_those_of_the_valid_rows():
    outputs, running = train(VALUES, VALID)
    kept = VALUES[VALID].astype(np.float64)
    mean, variance = kept.mean((0, 1)), kept.var((0, 1))
    # Sums of 16 float32 numbers of order 3, divided by deviations of order 2.
    np.testing.assert_allclose(outputs[VALID], (kept - mean) / np.sqrt(variance + 1e-5), atol=1e-5)
    np.testing.assert_allclose(running["mean"], 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(running["variance"], 0.9 + 0.1 * variance, rtol=1e-5)


def test_what_stands_in_other_rows_does_not_matter():
    outputs, running = train(VALUES, VALID)
    spoiled_outputs, spoiled_running = train(np.where(VALID[:, None, None], VALUES, np.nan), VALID)
    np.testing.assert_array_equal(spoiled_outputs[VALID], outputs[VALID])
    jax.tree.map(np.testing.assert_array_equal, spoiled_running, running)


def test_steps_may_be_left_out_too():
    mask = VALID[:, None] & (np.arange(4) < 2)
    outputs, running = train(VALUES, mask)
    short, short_running = train(VALUES[:, :2], VALID)
    np.testing.assert_allclose(outputs[:, :2], short, atol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), running, short_running)


@pytest.mark.parametrize("devices", [2, 4, 8])  # with 4 and 8, some have no valid row at all
def test_devices_share_the_statistics_of_the_whole_batch(devices):
    outputs, running = train(VALUES, VALID)

    def on_a_device(values, valid):
        return train(values, valid, "device")

    parts = jax.vmap(on_a_device, axis_name="device")(VALUES.reshape(devices, -1, 4, 3), VALID.reshape(devices, -1))
    np.testing.assert_allclose(parts[0].reshape(VALUES.shape), outputs, atol=1e-5)
    for device in range(devices):
        jax.tree.map(lambda a, b, device=device: np.testing.assert_allclose(a[device], b, rtol=1e-5), parts[1], running)


def test_a_batch_without_a_valid_row_changes_nothing():
    outputs, running = train(VALUES, np.zeros(8, bool))
    assert np.isfinite(outputs).all()
    jax.tree.map(np.testing.assert_array_equal, running, STATE["batch_stats"])


def test_out_of_training_the_running_statistics_serve():
    _, running = train(VALUES, VALID)
    outputs = BatchNorm().apply({**STATE, "batch_stats": running}, VALUES, VALID, False)
    expected = (VALUES - running["mean"]) / np.sqrt(running["variance"] + 1e-5)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
