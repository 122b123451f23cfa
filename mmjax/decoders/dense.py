"""Decoders of dense layers."""

import flax.linen as nn

from mmjax.types import Array


class Dense(nn.Module):
    """D = W F + b.

    Attributes:
      outputs: K.
      axis_name: device axis that splits the batch, or None.
    """

    outputs: int
    axis_name: str | None = None

    def setup(self):
        self.head = nn.Dense(self.outputs)

    def __call__(self, fused: Array, train: bool) -> Array:
        """[B, d] -> logits [B, K]."""
        return self.head(fused)
