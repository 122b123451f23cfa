"""The spectrogram as an encoder: which frames are valid, how they are scaled, who reads them."""

import jax
import numpy as np
import pytest

from mmjax.encoders import LogMel, Tcn
from mmjax.errors import InputError
from mmjax.layers.spectrogram import FLOOR, log_mel, mel_filters
from mmjax.types import ModalitySpec

FIELDS = {"width": 4, "encoder_layers": 2}
ENCODER = LogMel(ModalitySpec("cough", "waveform", (2000,), rate=8000.0), **FIELDS)
WAVES = np.random.default_rng(0).normal(size=(4, 2000)).astype(np.float32)
LENGTH, VALID = np.array([2000, 700, 256, 1]), np.ones(4, bool)
VARIABLES = ENCODER.init(jax.random.key(0), WAVES, LENGTH, VALID, False)


def test_it_is_tcn_on_the_scaled_spectrogram():
    sounding = np.where(np.arange(2000) < LENGTH[:, None], WAVES, 0)
    bands = np.log(np.exp(log_mel(sounding, mel_filters(8000, 512, 32), 256)) / FLOOR) / np.log(1 / FLOOR)
    tcn = Tcn(ModalitySpec("cough", "sequence", (6, 32)), **FIELDS)
    expected = tcn.apply({"params": VARIABLES["params"]["convolutions"]}, bands, np.array([6, 3, 1, 1]), VALID, False)
    encoded = ENCODER.apply(VARIABLES, WAVES, LENGTH, VALID, False)
    np.testing.assert_array_equal(encoded.mask, expected.mask)
    np.testing.assert_allclose(encoded.sequence[encoded.mask], expected.sequence[expected.mask], atol=1e-5)
    np.testing.assert_allclose(encoded.pooled, expected.pooled, atol=1e-5)


def test_a_frame_is_valid_if_it_starts_within_the_recording():
    mask = ENCODER.apply(VARIABLES, WAVES, LENGTH, VALID, False).mask
    np.testing.assert_array_equal(mask, np.arange(6) * 256 < LENGTH[:, None])


def test_silence_is_zero():
    features = ENCODER.bind(VARIABLES).start(np.zeros_like(WAVES), None, VALID)
    np.testing.assert_allclose(features.values, 0, atol=1e-6)


def test_parameters_are_tcns():
    blocks = 3 * 32 * 4 + 3 * 4 * 4 + 2 * 4 + (32 * 4 + 4) + 2 * (3 * 4 * 4 + 4)
    assert sum(leaf.size for leaf in jax.tree.leaves(VARIABLES)) == blocks


@pytest.mark.parametrize("samples, rate", [(511, 8000.0), (2000, 5.0)])
def test_a_recording_that_no_frame_fits_is_refused(samples, rate):
    with pytest.raises(InputError, match=f"'cough' of {samples} samples at {rate} a second: a frame of 0.064 s has"):
        encoder = LogMel(ModalitySpec("cough", "waveform", (samples,), rate=rate))
        encoder.init(jax.random.key(0), np.zeros((1, samples), np.float32), None, VALID[:1], False)
