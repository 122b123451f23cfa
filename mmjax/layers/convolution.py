"""Convolution over two axes.

XLA's convolution is at its worst on a CPU with few channels, and under a vmap over seeds, which
turns it into a grouped one. There it is written as one product with a banded matrix: a row of
pixels times the matrix that holds the kernel's rows once for each position. Most of the matrix is
zero, and yet the product, and those that are its gradients, take less time by 1.5 to 5 for rows
of 7 to 28 pixels; the work grows with the square of a row's width, so wide rows keep XLA's. Where
channels are many there is work enough without the zeros: then it is a product of every position's patch.
"""

import contextlib
import contextvars
from functools import partial
from itertools import product
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from mmjax.types import Array

WIDEST_BAND = 64  # pixels in a row
MANY_CHANNELS = 16  # of the input: from there patches beat bands
_plain = contextvars.ContextVar("plain", default=False)


@contextlib.contextmanager
def plain():
    """Within it convolutions are traced as XLA's own on every backend: for counting what they have to compute."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


class Convolution(nn.Module):
    """y = kernel * x + bias, the kernel slid over two axes, initialised Glorot uniform.

    Attributes:
      features: output channels.
      kernel: its height and width.
      padding: "VALID" keeps the positions where the kernel fits; "SAME" pads with zeros to keep the size.
      use_bias: False where a normalisation follows, which would take the bias out again.
      stride: pixels from one position to the next, along both axes: every `stride`-th output of stride 1, from the
        first. (So "SAME" pads alike whatever the stride and the size; XLA's own may lie a pixel further.)
    """

    features: int
    kernel: tuple[int, int]
    padding: Literal["VALID", "SAME"] = "VALID"
    use_bias: bool = True
    stride: int = 1

    @nn.compact
    def __call__(self, values: Array) -> Array:
        """[B, height, width, channels] -> [B, height', width', features]."""
        kernel = self.param("kernel", nn.initializers.glorot_uniform(), (*self.kernel, values.shape[-1], self.features))
        values = convolve(values, kernel, self.padding, self.stride)
        return values + self.param("bias", nn.initializers.zeros, (self.features,)) if self.use_bias else values


def convolve(values: Array, kernel: Array, padding: str, stride: int = 1) -> Array:
    """The convolution (not flipped: a correlation), in the form that is fast where it runs.

    Args:
      values: [B, height, width, C].
      kernel: [kernel height, kernel width, C, O].
      padding: "VALID" or "SAME".
      stride: as in Convolution.

    Returns:
      [B, height', width', O].
    """
    around = [(0, 0), (0, 0)]
    if padding == "SAME":
        around = [((size - 1) // 2, size // 2) for size in kernel.shape[:2]]
    if _plain.get() or jax.default_backend() != "cpu" or values.shape[2] > WIDEST_BAND:
        layout = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(values, kernel, (stride, stride), around, dimension_numbers=layout)
    values = jnp.pad(values, ((0, 0), *around, (0, 0)))
    if values.shape[-1] == 1:
        return shifted_sum(values, kernel, stride)
    return (banded_product if values.shape[-1] < MANY_CHANNELS else patch_product)(values, kernel, stride)


def banded_product(values: Array, kernel: Array, stride: int = 1) -> Array:
    """Rows of `values` times the band of `kernel`, "VALID"."""
    B, height, width, C = values.shape
    kernel_height, kernel_width, _, O = kernel.shape
    rows, columns = _positions(values, kernel, stride)
    # offset[v, w, j] is 1 where the kernel's column j, for the output w, lies on the input v.
    offset = np.arange(width)[:, None, None] - stride * np.arange(columns)[:, None] == np.arange(kernel_width)
    band = jnp.einsum("vwj,ijco->ivcwo", offset.astype(kernel.dtype), kernel)
    lines = values.reshape(B, height, width * C)
    lines = jnp.concatenate([lines[:, _every(stride, i, rows)] for i in range(kernel_height)], axis=-1)
    outputs = lines.reshape(B * rows, lines.shape[-1]) @ band.reshape(-1, columns * O)
    return outputs.reshape(B, rows, columns, O)


@partial(jax.checkpoint, static_argnums=2)  # patches are many times the input: gradients gather them again
def patch_product(values: Array, kernel: Array, stride: int = 1) -> Array:
    """The patch under the kernel at every position, times the kernel, "VALID"."""
    patches = jnp.concatenate(_taps(values, kernel, stride), axis=-1)
    outputs = patches.reshape(-1, patches.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
    return outputs.reshape(*patches.shape[:-1], kernel.shape[-1])


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def shifted_sum(values: Array, kernel: Array, stride: int = 1) -> Array:
    """A sum of shifted `values` times one weight each, "VALID": forward the fastest for one channel."""
    weights = kernel.reshape(-1, kernel.shape[-1])
    return sum(tap * weight for tap, weight in zip(_taps(values, kernel, stride), weights))


shifted_sum.defvjp(
    lambda values, kernel, stride: (shifted_sum(values, kernel, stride), (values, kernel)),
    lambda stride, inputs, gradient: jax.vjp(partial(banded_product, stride=stride), *inputs)[1](gradient),
)


def _taps(values: Array, kernel: Array, stride: int) -> list[Array]:
    """What lies under each weight of the kernel, row by row, at every position: [B, height', width', C]."""
    rows, columns = _positions(values, kernel, stride)
    places = product(range(kernel.shape[0]), range(kernel.shape[1]))
    return [values[:, _every(stride, i, rows), _every(stride, j, columns)] for i, j in places]


def _positions(values: Array, kernel: Array, stride: int) -> list[int]:
    """Rows and columns of a "VALID" output."""
    return [(size - taps) // stride + 1 for size, taps in zip(values.shape[1:3], kernel.shape[:2])]


def _every(stride: int, first: int, count: int) -> slice:
    return slice(first, first + stride * (count - 1) + 1, stride)
