"""Fusion by a weighted sum, one learned weight a modality."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import masked_softmax, settle


class Weighted(nn.Module):
    """F = sum_i a_i W_i h_i with a = softmax(w) over the modalities present.

    Equal w (the start) gives the mean of the W_i h_i present.
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        projected = jnp.stack(
            [nn.Dense(self.width, use_bias=False, name=f"project_{name}")(h) for name, h in embeddings.items()], axis=1
        )
        weights = self.param("weights", nn.initializers.zeros, (len(embeddings),))
        weights = masked_softmax(jnp.broadcast_to(weights, present.shape), present)
        return jnp.einsum("bm,bmd->bd", weights, projected)
