"""The decoder that gives one output a step."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.layers.dropout import Dropout
from mmjax.layers.precision import at_least_float32
from mmjax.layers.recurrent import Gru
from mmjax.types import Array


class Rnn(nn.Module):
    """A GRU reads F at every step and after each says one output: D_k = w h_{k+1} + b, for k = 0 .. K - 1.

    The weights are shared over the steps. The first step only takes F in, so that the recurrent
    weights have their say also where K is 1.

    Attributes:
      outputs: K, the horizon.
      axis_name: device axis that splits the batch, or None.
      width: of the state.
      dropout: rate on it, before each output.
    """

    outputs: int
    axis_name: str | None = None
    width: int = DEFAULTS.width
    dropout: float = DEFAULTS.dropout

    @nn.compact
    def __call__(self, fused: Array, train: bool) -> Array:
        """[B, d] -> logits [B, K]."""
        B, d = fused.shape
        inputs = jnp.broadcast_to(fused[:, None], (B, self.outputs + 1, d))
        states = Gru(self.width, name="cell")(inputs, jnp.ones((B, self.outputs + 1), bool))
        states = Dropout(self.dropout, self.axis_name)(states[:, 1:], train)
        return nn.Dense(1, name="head")(at_least_float32(states))[:, :, 0]
