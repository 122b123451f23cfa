"""Dropout whose mask does not depend on how many devices split the batch."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.types import Array


class Dropout(nn.Module):
    """Zeroes each value with probability `dropout` and scales the others by 1 / (1 - dropout).

    Draws from the stream "dropout", which must be the same on every device: the mask is drawn
    for the whole batch, and a device takes its rows.

    Attributes:
      dropout: probability in [0, 1); 0 needs no stream.
      axis_name: device axis that splits the batch, or None.
    """

    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None

    @nn.compact
    def __call__(self, values: Array, train: bool) -> Array:
        """[B, ...] -> [B, ...]; the identity unless `train`."""
        if not train or self.dropout == 0:
            return values
        rows = values.shape[0]
        split = self.axis_name is not None and not self.is_initializing()
        devices = jax.lax.psum(1, self.axis_name) if split else 1
        keep = jax.random.bernoulli(self.make_rng("dropout"), 1 - self.dropout, (devices * rows, *values.shape[1:]))
        if split:
            keep = jax.lax.dynamic_slice_in_dim(keep, jax.lax.axis_index(self.axis_name) * rows, rows)
        return jnp.where(keep, values / (1 - self.dropout), 0)
