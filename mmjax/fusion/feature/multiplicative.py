"""Multiplicative interaction."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.feature.narrow import narrowed
from mmjax.fusion.presence import settle
from mmjax.types import Array


class Multiplicative(nn.Module):
    """F_k = h_1' W_k h_2 + h_1' U_k + h_2' V_k + b_k; more modalities are folded in one by one, from the left.

    W = 0 leaves `concat` and a linear map. Each of the three terms starts with variance 1/3, so that F has variance 1
    after every fold. An embedding wider than `widest` is first narrowed to it by a linear map, since W has
    d_1 d_2 width weights. The order is that of the modalities' names, and matters for more than two.

    References:
      Jayakumar et al., Multiplicative Interactions and Where to Find Them, ICLR 2020, equation 1.
    """

    width: int = DEFAULTS.width
    widest: int = DEFAULTS.widest

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, _ = settle(embeddings, present)
        (_, fused), *others = narrowed(embeddings, self.widest, True, "").items()
        for name, h in others:
            fused = self._fold(name, fused, h)
        return fused

    def _fold(self, name: str, first: Array, second: Array) -> Array:
        d, e = first.shape[-1], second.shape[-1]
        weights = self.param(f"W_{name}", nn.initializers.normal((3 * d * e) ** -0.5), (d, e, self.width))
        both = jnp.einsum("bew,be->bw", jnp.tensordot(first, weights, 1), second)
        initial = nn.initializers.variance_scaling(1 / 3, "fan_in", "normal")
        alone = nn.Dense(self.width, kernel_init=initial, name=f"U_{name}")(first)
        return both + alone + nn.Dense(self.width, use_bias=False, kernel_init=initial, name=f"V_{name}")(second)
