"""Examples as rows of numbers, however many examples there are."""

import math

from mmjax.types import Array


def flatten(values: Array) -> Array:
    """[B, ...] to [B, n]. Of an empty batch too, whose n `reshape(B, -1)` could not tell."""
    return values.reshape(values.shape[0], math.prod(values.shape[1:]))
