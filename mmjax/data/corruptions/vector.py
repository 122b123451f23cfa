"""Vectors; [n, features]."""

import numpy as np

from mmjax.data.corruptions.contract import Changed, Draw

DEVIATIONS = 2.0  # of noise at level 10, in deviations of the feature


def noise(draw: Draw) -> Changed:
    """Add Gaussian noise to every feature."""
    drawn = draw.generator.standard_normal(draw.values.shape)
    return draw.kept(draw.values + DEVIATIONS * draw.share * draw.spread * drawn)


def dropped(draw: Draw) -> Changed:
    """Set features of each example to 0, which is their mean where they are standardised."""
    return draw.kept(np.where(_chosen(draw), 0, draw.values))


def permuted(draw: Draw) -> Changed:
    """Give features of each example the value that another example has there."""
    other = draw.generator.permuted(np.tile(np.arange(len(draw.values))[:, None], draw.values.shape[1]), axis=0)
    swapped = np.take_along_axis(draw.values, other, axis=0)
    # A value that is absent is no value to give.
    there = draw.present[other]
    return draw.kept(np.where(_chosen(draw) & there, swapped, draw.values))


def _chosen(draw: Draw) -> np.ndarray:
    """[n, features] bool; those of a lower level are among those of a higher one."""
    return draw.generator.random(draw.values.shape) < draw.share
