"""Speech as a picture of 32 frames by 32 mel bands."""

import functools

import numpy as np

from mmjax.data.avdigits.raw import RATE
from mmjax.layers import spectrogram
from mmjax.layers.spectrogram import FLOOR

FRAMES, BANDS = 32, 32
FRAME, HOP = 512, 256  # samples: 64 ms every 32 ms
SAMPLES = FRAME + (FRAMES - 1) * HOP  # 1.056 s


def window(wave: np.ndarray) -> tuple[np.ndarray, int]:
    """A recording in a window of SAMPLES, float32 in [-1, 1], and its length there.

    A shorter one (99% of FSDD) lies in the middle of silence; of a longer one the loudest
    stretch is kept.
    """
    wave = wave.astype(np.float32) / 32768
    if len(wave) > SAMPLES:
        energy = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
        start = int(np.argmax(energy[SAMPLES:] - energy[:-SAMPLES]))
        return wave[start : start + SAMPLES], SAMPLES
    before = (SAMPLES - len(wave)) // 2
    return np.pad(wave, (before, SAMPLES - len(wave) - before)), len(wave)


def log_mel(waves: np.ndarray) -> np.ndarray:
    """Log powers in mel bands of Hann-windowed frames, float32 [n, SAMPLES] -> float32 [n, FRAMES, BANDS]."""
    from scipy.fft import rfft
    from scipy.signal.windows import hann

    frames = np.lib.stride_tricks.sliding_window_view(waves, FRAME, axis=1)[:, ::HOP]
    spectrum = rfft(frames * hann(FRAME, sym=False).astype(np.float32))
    power = spectrum.real**2 + spectrum.imag**2
    return np.log(power @ mel_filters() + FLOOR)


@functools.cache
def mel_filters() -> np.ndarray:
    """The bands, float32 [FRAME // 2 + 1, BANDS]."""
    return spectrogram.mel_filters(RATE, FRAME, BANDS)
