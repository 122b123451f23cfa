"""Speech as a picture of 32 frames by 32 mel bands."""

import functools

import numpy as np

from mmjax.data.avdigits.raw import RATE

FRAMES, BANDS = 32, 32
FRAME, HOP = 512, 256  # samples: 64 ms every 32 ms
SAMPLES = FRAME + (FRAMES - 1) * HOP  # 1.056 s
FLOOR = 1e-6  # added to a band's power before the logarithm; above that of 16-bit rounding, below any speech


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
    """Triangles whose corners are evenly spaced in mel, float32 [FRAME // 2 + 1, BANDS].

    mel(f) = 2595 log10(1 + f / 700), f in hertz (O'Shaughnessy 1987, as in HTK). Neighbours
    overlap by half, so between the first and the last centre the bands sum to one.
    """
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(FRAME, 1 / RATE)
    low, centre, high = corners[:-2], corners[1:-1], corners[2:]
    rising = (frequencies[:, None] - low) / (centre - low)
    falling = (high - frequencies[:, None]) / (high - centre)
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)
