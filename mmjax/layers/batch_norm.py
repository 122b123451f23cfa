"""Batch normalisation over the valid part of a batch, wherever it lies."""

import math

import flax.linen as nn
import jax.numpy as jnp
from jax import lax

from mmjax.types import Array


class BatchNorm(nn.Module):
    """(x - mean) / sqrt(variance + epsilon) * scale + bias, statistics over all axes but the last.

    In training the statistics are those of the valid positions of the whole batch, exactly, however
    devices split it; running ones are kept in the collection "batch_stats" (variance: biased) and
    used otherwise. A batch without a valid position leaves them as they are.

    Attributes:
      axis_name: device axis that splits the batch, or None.
      momentum: share of the running statistics that a batch leaves.
      epsilon: added to the variance.

    References:
      Ioffe and Szegedy, "Batch normalization", arXiv:1502.03167, 2015, algorithm 1.
    """

    axis_name: str | None = None
    momentum: float = 0.9
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, values: Array, valid: Array, train: bool) -> Array:
        """Normalised values.

        Args:
          values: [B, ..., channels].
          valid: bool over any number of the leading axes: [B], or [B, T].
          train: whether to use, and to keep, the statistics of this batch.
        """
        channels = values.shape[-1:]
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, channels)
        running_variance = self.variable("batch_stats", "variance", jnp.ones, channels)
        scale = self.param("scale", nn.initializers.ones, channels)
        bias = self.param("bias", nn.initializers.zeros, channels)

        mean, variance = running_mean.value, running_variance.value
        if train:
            mean, variance, count = self._statistics(values.astype(jnp.float32), valid)
            if not self.is_initializing():
                kept = jnp.where(count > 0, self.momentum, 1.0)
                running_mean.value = kept * running_mean.value + (1 - kept) * mean
                running_variance.value = kept * running_variance.value + (1 - kept) * variance
        factor = lax.rsqrt(variance + self.epsilon) * scale
        return (values * factor + (bias - mean * factor)).astype(values.dtype)

    def _statistics(self, values: Array, valid: Array) -> tuple[Array, Array, Array]:
        """Mean and biased variance [channels] of the valid positions of all devices, and their number."""
        positions = math.prod(values.shape[valid.ndim : -1])
        valid = valid.reshape(valid.shape + (1,) * (values.ndim - valid.ndim))
        axes = tuple(range(values.ndim - 1))
        count = self._over_devices(valid.sum(dtype=jnp.float32) * positions)
        mean = self._over_devices(jnp.where(valid, values, 0).sum(axes)) / jnp.maximum(count, 1)
        deviation = jnp.where(valid, values - mean, 0)
        variance = self._over_devices((deviation * deviation).sum(axes)) / jnp.maximum(count, 1)
        return mean, variance, count

    def _over_devices(self, total: Array) -> Array:
        return total if self.axis_name is None or self.is_initializing() else lax.psum(total, self.axis_name)
