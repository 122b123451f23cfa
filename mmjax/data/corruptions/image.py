"""Images, and videos frame by frame; [n, (T,) height, width, channels]."""

import numpy as np

from mmjax.data.corruptions.contract import Changed, Draw

DEVIATIONS = 2.0  # of noise at level 10, in deviations of the channel
BLUR = 0.15  # of the shorter side: deviation of the blur at level 10
LEAST_CONTRAST = 0.05  # share of the contrast that level 10 leaves
COVERED = 0.9  # share of each side that level 10 covers
DEGREES = 90.0  # that level 10 turns by, one way or the other


def noise(draw: Draw) -> Changed:
    """Add Gaussian noise to every pixel."""
    drawn = draw.generator.standard_normal(draw.values.shape)
    return draw.kept(draw.values + DEVIATIONS * draw.share * draw.spread * drawn)


def blur(draw: Draw) -> Changed:
    """Blur by a Gaussian."""
    from scipy.ndimage import gaussian_filter

    height, width = draw.values.shape[-3:-1]
    sigma = BLUR * draw.share * min(height, width)
    axes = (0.0,) * (draw.values.ndim - 3) + (sigma, sigma, 0.0)
    return draw.kept(gaussian_filter(draw.values.astype(np.float64), axes, mode="nearest"))


def contrast(draw: Draw) -> Changed:
    """Draw every pixel to the image's own mean."""
    axes = tuple(range(1, draw.values.ndim))
    mean = draw.values.mean(axis=axes, keepdims=True)
    left = 1 - (1 - LEAST_CONTRAST) * draw.share
    return draw.kept(mean + left * (draw.values - mean))


def occlusion(draw: Draw) -> Changed:
    """Cover a rectangle, somewhere, with the image's mean."""
    n, (height, width) = len(draw.values), draw.values.shape[-3:-1]
    axes = tuple(range(1, draw.values.ndim))
    mean = draw.values.mean(axis=axes, keepdims=True)
    place = draw.generator.random((2, n))
    inside = []
    for side, where in zip((height, width), place, strict=True):
        covered = COVERED * draw.share * side
        # The rectangle of a higher level holds that of a lower one: both grow from one point.
        start = where * (side - covered)
        steps = np.arange(side) + 0.5
        inside.append((steps >= start[:, None]) & (steps < (start + covered)[:, None]))
    mask = inside[0][:, :, None] & inside[1][:, None, :]
    mask = mask.reshape(n, *[1] * (draw.values.ndim - 4), height, width, 1)
    return draw.kept(np.where(mask, mean, draw.values))


def rotation(draw: Draw) -> Changed:
    """Turn about the middle, one way or the other; what comes in from outside repeats the edge."""
    from scipy.ndimage import rotate

    axes = (draw.values.ndim - 3, draw.values.ndim - 4)  # of one example: height, width
    sides = draw.generator.choice((-1, 1), len(draw.values))
    turned = [
        rotate(value.astype(np.float64), side * DEGREES * draw.share, axes=axes, reshape=False, order=1, mode="nearest")
        for value, side in zip(draw.values, sides, strict=True)
    ]
    return draw.kept(np.stack(turned))
