"""The decoder of convolutions: over the fused features to logits, or from them to an image."""

import math

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.errors import InputError
from mmjax.layers.convolution import Convolution
from mmjax.layers.dropout import Dropout
from mmjax.layers.flatten import flatten
from mmjax.layers.precision import at_least_float32
from mmjax.types import Array

KERNEL = 3
DOUBLINGS = 2  # of a small map's sides, on the way to an image


class Cnn(nn.Module):
    """F as a signal of one channel: a convolution over its features, relu, and a dense layer; or F to an image.

    The zeros around the signal let it have any width, 1 included. To an image, a dense layer with relu makes a map of
    a quarter of its sides, rounded up, and two transposed convolutions of stride 2, a relu between them, double it
    twice; what sticks out on the right and below is cut off.

    Attributes:
      outputs: K.
      axis_name: device axis that splits the batch, or None.
      channels: filters of the convolution; to an image, of the map between the two, half those of the first.
      dropout: rate after the first layer.
      shape: height, width and channels of an image, K values in all; empty for logits.
    """

    outputs: int
    axis_name: str | None = None
    channels: int = DEFAULTS.channels
    dropout: float = DEFAULTS.dropout
    shape: tuple[int, ...] = ()

    def __post_init__(self):
        if self.shape and (len(self.shape) != 3 or math.prod(self.shape) != self.outputs):
            raise InputError(
                f"decoder 'cnn': shape {self.shape} is not accepted for {self.outputs} outputs: "
                "give (height, width, channels) whose product they are"
            )
        super().__post_init__()

    @nn.compact
    def __call__(self, fused: Array, train: bool) -> Array:
        """[B, d] -> logits [B, K], or an image [B, *shape]."""
        drop = Dropout(self.dropout, self.axis_name)
        if self.shape:
            return self._image(fused, lambda values: drop(values, train))
        signal = fused[:, :, None, None]
        hidden = nn.relu(Convolution(self.channels, (KERNEL, 1), "SAME", name="convolution")(signal))
        hidden = drop(flatten(hidden), train)
        return nn.Dense(self.outputs, name="head")(at_least_float32(hidden))

    def _image(self, fused, drop):
        height, width, channels = self.shape
        small = (-(-height // 2**DOUBLINGS), -(-width // 2**DOUBLINGS), 2 * self.channels)
        hidden = drop(nn.relu(nn.Dense(math.prod(small), name="map")(fused)))
        values = hidden.reshape(len(fused), *small)
        # Kernels of 4, twice the stride, reach every pixel equally often.
        values = nn.relu(nn.ConvTranspose(self.channels, (4, 4), (2, 2), name="double_0")(values))
        return nn.ConvTranspose(channels, (4, 4), (2, 2), name="double_1")(values)[:, :height, :width]
