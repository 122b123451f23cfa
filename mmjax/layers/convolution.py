"""Convolution over two axes, stride 1."""

from typing import Literal

import flax.linen as nn
from jax import lax

from mmjax.types import Array


class Convolution(nn.Module):
    """y = kernel * x + bias, the kernel slid over two axes a step at a time, initialised Glorot uniform.

    Attributes:
      features: output channels.
      kernel: its height and width.
      padding: "VALID" keeps the positions where the kernel fits; "SAME" pads with zeros to keep the size.
      use_bias: False where a normalisation follows, which would take the bias out again.
    """

    features: int
    kernel: tuple[int, int]
    padding: Literal["VALID", "SAME"] = "VALID"
    use_bias: bool = True

    @nn.compact
    def __call__(self, values: Array) -> Array:
        """[B, height, width, channels] -> [B, height', width', features]."""
        kernel = self.param("kernel", nn.initializers.glorot_uniform(), (*self.kernel, values.shape[-1], self.features))
        values = convolve(values, kernel, self.padding)
        return values + self.param("bias", nn.initializers.zeros, (self.features,)) if self.use_bias else values


def convolve(values: Array, kernel: Array, padding: str) -> Array:
    """[B, height, width, C] with a kernel [kh, kw, C, O] -> [B, height', width', O], stride 1."""
    return lax.conv_general_dilated(values, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
