"""Sequences of numbers, and sets of points; [n, T, features] with lengths."""

import numpy as np

from mmjax.data.corruptions.contract import Changed, Draw

DROPPED = 0.9  # share of the steps that level 10 takes out
DEVIATIONS = 2.0  # of jitter, and of drift at the end, at level 10; in deviations of the feature


def dropped_steps(draw: Draw) -> Changed:
    """Take steps out; the rest move together, and one at least stays."""
    n, steps = draw.values.shape[:2]
    rank = np.where(draw.valid, draw.generator.random((n, steps)), np.inf).argsort(axis=1).argsort(axis=1)
    keep = np.maximum(np.ceil((1 - DROPPED * draw.share) * draw.lengths), np.minimum(draw.lengths, 1)).astype(int)
    stays = rank < keep[:, None]
    order = np.argsort(~stays, axis=1, kind="stable")
    moved = np.take_along_axis(draw.values, order.reshape(n, steps, *[1] * (draw.values.ndim - 2)), axis=1)
    return moved, keep.astype(np.int32), draw.present


def jitter(draw: Draw) -> Changed:
    """Add Gaussian noise to every step."""
    drawn = draw.generator.standard_normal(draw.values.shape)
    return draw.kept(draw.values + DEVIATIONS * draw.share * draw.spread * drawn)


def drift(draw: Draw) -> Changed:
    """Add to every feature a line that leaves 0 at the first step, one way or the other."""
    n, steps, features = draw.values.shape
    way = draw.generator.choice((-1.0, 1.0), (n, 1, features))
    time = np.arange(1, steps + 1)[None, :, None] / np.maximum(draw.lengths, 1)[:, None, None]
    return draw.kept(draw.values + DEVIATIONS * draw.share * draw.spread * way * time)
