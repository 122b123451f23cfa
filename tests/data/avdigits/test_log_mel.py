"""The mel bands' defining properties, and how a recording lies in its window."""

import numpy as np
import pytest

from mmjax.data.avdigits import log_mel
from mmjax.data.avdigits.raw import RATE


def mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


def test_bands_sum_to_one_between_the_outer_centres():
    filters = log_mel.mel_filters()
    frequencies = np.fft.rfftfreq(log_mel.FRAME, 1 / RATE)
    step = mel(RATE / 2) / (log_mel.BANDS + 1)
    inside = (mel(frequencies) >= step) & (mel(frequencies) <= step * log_mel.BANDS)
    np.testing.assert_allclose(filters[inside].sum(axis=1), 1, atol=1e-5)  # float32 weights
    assert filters.min() >= 0 and np.all(filters.max(axis=0) > 0)


@pytest.mark.parametrize("hertz", [250.0, 1000.0, 3000.0])
def test_a_tone_is_loudest_in_the_band_nearest_in_mel(hertz):
    wave = np.sin(2 * np.pi * hertz * np.arange(log_mel.SAMPLES) / RATE).astype(np.float32)
    bands = log_mel.log_mel(wave[None])[0]
    centres = mel(RATE / 2) / (log_mel.BANDS + 1) * np.arange(1, log_mel.BANDS + 1)
    assert np.all(np.abs(bands.argmax(axis=1) - np.argmin(np.abs(centres - mel(hertz)))) <= 1)


def test_twice_as_loud_is_a_constant_more():
    """log (4 P) = log P + log 4, where the floor of 1e-6 is nothing beside P."""
    wave = np.random.default_rng(0).normal(size=(1, log_mel.SAMPLES)).astype(np.float32)
    difference = log_mel.log_mel(2 * wave) - log_mel.log_mel(wave)
    np.testing.assert_allclose(difference, np.log(4), atol=1e-4)


def test_silence_is_the_floor():
    np.testing.assert_allclose(
        log_mel.log_mel(np.zeros((1, log_mel.SAMPLES), np.float32)), np.log(log_mel.FLOOR), rtol=1e-6
    )


def test_a_click_is_heard_only_in_the_frames_that_hold_it():
    wave = np.zeros((1, log_mel.SAMPLES), np.float32)
    wave[0, 10 * log_mel.HOP + 100] = 1
    heard = np.flatnonzero((log_mel.log_mel(wave)[0] > np.log(log_mel.FLOOR) + 1).any(axis=1))
    np.testing.assert_array_equal(heard, [9, 10])


def test_a_short_recording_lies_in_the_middle_of_silence():
    wave = np.full(1001, 16384, np.int16)
    window, length = log_mel.window(wave)
    rows = np.flatnonzero(window)
    assert length == len(rows) == 1001 and np.all(window[rows] == 0.5)
    assert abs(rows[0] - (log_mel.SAMPLES - 1 - rows[-1])) <= 1


def test_of_a_long_recording_the_loudest_stretch_is_kept():
    wave = np.ones(3 * log_mel.SAMPLES, np.int16)
    wave[5000 : 5000 + log_mel.SAMPLES] = 3000
    window, length = log_mel.window(wave)
    assert length == log_mel.SAMPLES
    np.testing.assert_array_equal(window, np.float32(3000 / 32768))


def test_a_recording_as_long_as_the_window_is_untouched():
    wave = np.arange(log_mel.SAMPLES, dtype=np.int16)
    np.testing.assert_array_equal(log_mel.window(wave)[0] * 32768, wave)
