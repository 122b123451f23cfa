"""A modality that is not there, or is another example's."""

import numpy as np

from mmjax.data.corruptions.contract import Changed, Draw


def missing(draw: Draw) -> Changed:
    """Take the modality from a share of the examples: a tenth a level, at level 10 from all."""
    lost = draw.generator.random(len(draw.values)) < draw.share
    return draw.values, draw.lengths, draw.present & ~lost


def misaligned(draw: Draw) -> Changed:
    """Give a share of the examples the modality of the next one that is also chosen."""
    n = len(draw.values)
    order = draw.generator.permutation(n)
    chosen = order[: round(draw.share * n)]
    source = np.arange(n)
    source[chosen] = np.roll(chosen, 1)
    lengths = None if draw.lengths is None else draw.lengths[source]
    return draw.values[source], lengths, draw.present[source]
