"""The mel spectrogram against SciPy, and against the one that made avdigits' pictures."""

import numpy as np
import pytest
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from mmjax.data.avdigits import log_mel as avdigits
from mmjax.data.avdigits.raw import RATE
from mmjax.layers.spectrogram import FLOOR, log_mel, mel_filters

WAVES = np.random.default_rng(0).normal(size=(2, avdigits.SAMPLES)).astype(np.float32) / 10
# Powers of order 1, sums of 512 float32 terms: 1e-5 of them, and so of their logarithm.
CLOSE = {"atol": 1e-4}


def test_it_is_avdigits_pictures():
    filters = mel_filters(RATE, avdigits.FRAME, avdigits.BANDS)
    np.testing.assert_allclose(log_mel(WAVES, filters, avdigits.HOP), avdigits.log_mel(WAVES), **CLOSE)


@pytest.mark.parametrize("frame, hop", [(64, 32), (50, 17)])
def test_it_is_scipys_spectrogram_in_bands(frame, hop):
    filters = mel_filters(1000, frame, 6)
    transform = ShortTimeFFT(hann(frame, sym=False), hop, 1000, phase_shift=None)
    waves = np.float64(WAVES[:, :400])
    whole = 1 + (400 - frame) // hop
    # SciPy centres its slice p on sample p hop: ours begins there, half a frame earlier in the shifted wave.
    power = np.stack([transform.spectrogram(wave, p0=0, p1=whole, k_offset=frame // 2) for wave in waves])
    expected = np.log(power.swapaxes(1, 2) @ filters + FLOOR)
    np.testing.assert_allclose(log_mel(WAVES[:, :400], filters, hop), expected, **CLOSE)


@pytest.mark.parametrize("samples, frames", [(512, 1), (767, 1), (768, 2), (avdigits.SAMPLES, 32)])
def test_frames_are_those_that_fit(samples, frames):
    spectrum = log_mel(WAVES[:, :samples], mel_filters(RATE, 512, 32), 256)
    assert spectrum.shape == (2, frames, 32)


def test_silence_is_the_floor():
    silence = log_mel(np.zeros((1, 512), np.float32), mel_filters(RATE, 512, 32), 256)
    np.testing.assert_allclose(silence, np.log(FLOOR), rtol=1e-6)
