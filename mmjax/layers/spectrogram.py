"""Sound as the logarithm of its power in mel bands, frame by frame."""

import jax.numpy as jnp
import numpy as np

from mmjax.types import Array

FLOOR = 1e-6  # added to a band's power before the logarithm; above that of 16-bit rounding, below any speech


def mel_filters(rate: float, frame: int, bands: int) -> np.ndarray:
    """Triangles whose corners are evenly spaced in mel from 0 to rate / 2, float32 [frame // 2 + 1, bands].

    mel(f) = 2595 log10(1 + f / 700), f in hertz (O'Shaughnessy 1987, as in HTK). Neighbours
    overlap by half, so between the first and the last centre the bands sum to one.

    Args:
      rate: samples per second.
      frame: samples in a frame.
      bands: how many.
    """
    top = 2595 * np.log10(1 + rate / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(frame, 1 / rate)
    low, centre, high = corners[:-2], corners[1:-1], corners[2:]
    rising = (frequencies[:, None] - low) / (centre - low)
    falling = (high - frequencies[:, None]) / (high - centre)
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


def log_mel(waves: Array, filters: np.ndarray, hop: int) -> Array:
    """Log powers in mel bands of Hann-windowed frames.

    Args:
      waves: [B, samples] in [-1, 1]; samples after the last whole frame are left out.
      filters: [frame // 2 + 1, bands], of an even frame.
      hop: samples from one frame's start to the next's.

    Returns:
      [B, 1 + (samples - frame) // hop, bands] float32, at least log(FLOOR).
    """
    frame = 2 * (len(filters) - 1)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / frame)
    starts = np.arange(0, waves.shape[1] - frame + 1, hop)
    frames = waves[:, starts[:, None] + np.arange(frame)].astype(jnp.float32)
    spectrum = jnp.fft.rfft(frames * hann.astype(np.float32))
    return jnp.log((spectrum.real**2 + spectrum.imag**2) @ filters + FLOOR)
