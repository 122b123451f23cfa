"""Fusion by juxtaposition."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.fusion.presence import settle


class Concat(nn.Module):
    """F = [h_1; ...; h_M], zeros in an absent modality's place."""

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, sum d_i]."""
        embeddings, _ = settle(embeddings, present)
        return jnp.concatenate(list(embeddings.values()), axis=-1)
