"""Decoders of dense layers."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.layers.dropout import Dropout
from mmjax.layers.precision import at_least_float32
from mmjax.types import Array


class Dense(nn.Module):
    """D = W F + b.

    Attributes:
      outputs: K.
      axis_name: device axis that splits the batch, or None.
    """

    outputs: int
    axis_name: str | None = None

    @nn.compact
    def __call__(self, fused: Array, train: bool) -> Array:
        """[B, d] -> logits [B, K]."""
        return nn.Dense(self.outputs, name="head")(at_least_float32(fused))


class Mlp(nn.Module):
    """D = W_2 dropout(relu(W_1 F + b_1)) + b_2.

    Attributes:
      outputs: K.
      axis_name: device axis that splits the batch, or None.
      width: hidden units.
      dropout: rate after them.
    """

    outputs: int
    axis_name: str | None = None
    width: int = DEFAULTS.width
    dropout: float = DEFAULTS.dropout

    @nn.compact
    def __call__(self, fused: Array, train: bool) -> Array:
        """[B, d] -> logits [B, K]."""
        hidden = nn.relu(nn.Dense(self.width, name="hidden")(fused))
        hidden = Dropout(self.dropout, self.axis_name)(hidden, train)
        return nn.Dense(self.outputs, name="head")(at_least_float32(hidden))
