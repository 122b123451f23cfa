"""Sound; [n, samples] with lengths."""

import numpy as np

from mmjax.data.corruptions.contract import Changed, Draw

QUIETEST, LOUDEST = 30.0, -12.0  # signal to noise in decibels, at level 1 and 10
DROPPED = 0.9  # share of a recording that level 10 silences
SEGMENTS = 20  # that a recording is cut into
SECONDS = 1.0  # in which an echo of level 10 falls by 60 decibels
LEAST_CLIP = 0.02  # of a recording's peak, above which level 10 cuts


def noise(draw: Draw) -> Changed:
    """Add white noise, so many decibels below the recording's own power, from 30 down to -12."""
    decibels = QUIETEST + (LOUDEST - QUIETEST) * (draw.share - 0.1) / 0.9
    power = np.where(draw.valid, draw.values.astype(np.float64) ** 2, 0).sum(axis=1) / np.maximum(draw.lengths, 1)
    drawn = draw.generator.standard_normal(draw.values.shape)
    return draw.kept(draw.values + np.sqrt(power * 10 ** (-decibels / 10))[:, None] * drawn)


def dropped_segments(draw: Draw) -> Changed:
    """Silence some of twenty even segments of each recording."""
    order = draw.generator.random((len(draw.values), SEGMENTS)).argsort(axis=1).argsort(axis=1)
    gone = order < round(DROPPED * draw.share * SEGMENTS)
    segment = np.minimum(
        np.arange(draw.values.shape[1]) * SEGMENTS // np.maximum(draw.lengths, 1)[:, None], SEGMENTS - 1
    )
    return draw.kept(np.where(np.take_along_axis(gone, segment, axis=1), 0, draw.values))


def reverberation(draw: Draw) -> Changed:
    """Mix in an echo: the recording convolved with noise that decays exponentially; as loud as it was."""
    from scipy.signal import fftconvolve

    samples = max(2, round(SECONDS * draw.spec.rate))
    time = np.arange(samples) / draw.spec.rate
    tail = draw.generator.standard_normal(samples) * 10 ** (-3 * time / SECONDS)
    tail /= np.sqrt((tail**2).sum())
    values = np.where(draw.valid, draw.values, 0).astype(np.float64)
    echo = fftconvolve(values, tail[None], axes=1)[:, : values.shape[1]]
    return draw.kept((1 - draw.share) * values + draw.share * echo)


def clipping(draw: Draw) -> Changed:
    """Cut what is louder than a share of the recording's peak."""
    peak = np.abs(np.where(draw.valid, draw.values, 0)).max(axis=1, keepdims=True)
    limit = peak * (1 - (1 - LEAST_CLIP) * draw.share)
    return draw.kept(np.clip(draw.values, -limit, limit))
