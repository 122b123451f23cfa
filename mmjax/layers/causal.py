"""Convolution over time that looks back only."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.types import Array

KERNEL = 3  # steps that an output reads


class CausalConvolution(nn.Module):
    """y_t = sum_k x_{t - k dilation} W_k + b for k = 0, 1, 2, where x is zero before the first step.

    A sum of three products of matrices, which any backend is fast at. Initialised Glorot uniform.

    Attributes:
      features: output channels.
      dilation: steps between the three that are read.

    References:
      van den Oord et al., "WaveNet", arXiv:1609.03499, 2016, section 2.1.
    """

    features: int
    dilation: int = 1

    @nn.compact
    def __call__(self, values: Array) -> Array:
        """[B, T, channels] -> [B, T, features]."""
        B, T, channels = values.shape
        kernel = self.param("kernel", nn.initializers.glorot_uniform(), (KERNEL, channels, self.features))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        past = [jnp.pad(values, ((0, 0), (k * self.dilation, 0), (0, 0)))[:, :T] for k in range(KERNEL)]
        return sum(earlier @ weights for earlier, weights in zip(past, kernel)) + bias
