"""The decoder that slides a kernel over the fused features."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.layers.convolution import Convolution
from mmjax.layers.dropout import Dropout
from mmjax.types import Array

KERNEL = 3


class Cnn(nn.Module):
    """F as a signal of one channel: a convolution over its features, relu, and a dense layer.

    The zeros around the signal let it have any width, 1 included.

    Attributes:
      outputs: K.
      axis_name: device axis that splits the batch, or None.
      channels: filters of the convolution.
      dropout: rate after it.
    """

    outputs: int
    axis_name: str | None = None
    channels: int = DEFAULTS.channels
    dropout: float = DEFAULTS.dropout

    @nn.compact
    def __call__(self, fused: Array, train: bool) -> Array:
        """[B, d] -> logits [B, K]."""
        signal = fused[:, :, None, None]
        hidden = nn.relu(Convolution(self.channels, (KERNEL, 1), "SAME", name="convolution")(signal))
        hidden = Dropout(self.dropout, self.axis_name)(hidden.reshape(len(fused), -1), train)
        return nn.Dense(self.outputs, name="head")(hidden)
