"""Low-rank multimodal fusion."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import settle


class LowRankTensor(nn.Module):
    """F = sum_r prod_i [h_i; 1] F_i^r + b: tensor fusion and a linear map, the map's tensor of rank R.

    The 1 appended to every h_i keeps the products of fewer modalities, and is all that an absent
    one contributes. Factors start so that F has variance 1 for embeddings of variance 1,
    whatever M: each of the R products then has variance 1/R, each of its M factors R^(-1/M).

    References:
      Liu et al., Efficient Low-rank Multimodal Fusion with Modality-Specific Factors, ACL 2018,
      equations 5 to 8.
    """

    width: int = DEFAULTS.width
    rank: int = DEFAULTS.rank

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, _ = settle(embeddings, present)
        scale = self.rank ** (-0.5 / len(embeddings))
        product = 1.0
        for name, h in embeddings.items():
            initial = nn.initializers.normal(scale / (h.shape[-1] + 1) ** 0.5)
            factor = self.param(f"factor_{name}", initial, (h.shape[-1] + 1, self.rank, self.width))
            product *= jnp.einsum("bd,drw->brw", h, factor[:-1]) + factor[-1]
        return product.sum(1) + self.param("bias", nn.initializers.zeros, (self.width,))
