"""Transformers that attend to each other layer by layer."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.model.tokens import Attending, project
from mmjax.fusion.presence import require_several
from mmjax.layers.attention import join_tokens
from mmjax.layers.pooling import masked_mean


class CoAttention(Attending):
    """F = [pool(X_1^L); ...; pool(X_M^L)], the modalities' streams after L = `fusion_layers` co-attentional layers.

    X_i^0 = W_i H_i + e_i and X_i^l = self_il(cross_il(X_i^{l-1}, [X_j^{l-1} for j != i])): first a block whose queries
    are modality i and whose keys and values are the tokens of all others, as the layer before left them, then a block
    on modality i alone. Pooling is the mean over valid steps. The paper, which has two modalities, multiplies
    the pooled streams for its classifiers; they are concatenated here, so that a modality that is absent, whose part is
    0, does not erase the others. A query may also gather nothing, as in CrossAttention.

    References:
      Lu et al., ViLBERT: Pretraining Task-Agnostic Visiolinguistic Representations, NeurIPS 2019, section 2.2.
    """

    fusion_layers: int = DEFAULTS.fusion_layers

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, M width]."""
        require_several("coattention", sequences)
        streams = list(project(sequences, masks, self.width).values())
        for layer in range(self.fusion_layers):
            others = [join_tokens(streams[:i] + streams[i + 1 :]) for i in range(len(streams))]
            streams = self.blocks(f"cross_{layer}", optional=True)(streams, train, others)
            streams = self.blocks(f"self_{layer}", optional=True)(streams, train)
        return jnp.concatenate([masked_mean(*tokens) for tokens in streams], axis=-1)
