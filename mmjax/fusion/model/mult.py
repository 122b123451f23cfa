"""Multimodal transformer of directional streams."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.model.tokens import Attending, project
from mmjax.fusion.presence import require_several
from mmjax.layers.attention import Tokens
from mmjax.layers.pooling import last_valid


class MulT(Attending):
    """F = [z_1; ...; z_M], z_a what is left of modality a at its last valid step after all others have flowed into it.

    Z_a^0 = W_a H_a + e_a. For every b other than a a stream b -> a starts at Z_a^0 and passes `fusion_layers`
    cross-modal blocks, whose queries are the stream and whose keys and values are Z_b^0, the same low-level sequence at
    every layer. The streams into a, joined on their features, then pass as many self-attention blocks of width
    (M - 1) `width`. The lengths of a and b may differ. A query may also gather nothing, as in CrossAttention.

    Where b is absent its stream into a is what a's residual makes of it; where a is absent z_a is 0. No positions are
    added, which the paper does after a temporal convolution: the order of steps is what the encoders made of it.

    References:
      Tsai et al., Multimodal Transformer for Unaligned Multimodal Language Sequences, ACL 2019, section 3.
    """

    fusion_layers: int = DEFAULTS.fusion_layers

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, M (M - 1) width]."""
        require_several("mult", sequences)
        low_level = project(sequences, masks, self.width)
        sources = [tokens for a in low_level for b, tokens in low_level.items() if b != a]
        others = len(low_level) - 1
        streams = [tokens for tokens in low_level.values() for _ in range(others)]
        for layer in range(self.fusion_layers):
            streams = self.blocks(f"cross_{layer}", optional=True)(streams, train, sources)
        targets = [_side_by_side(streams[first : first + others]) for first in range(0, len(streams), others)]
        for layer in range(self.fusion_layers):
            targets = self.blocks(f"self_{layer}", others * self.width, optional=True)(targets, train)
        return jnp.concatenate([last_valid(*tokens) for tokens in targets], axis=-1)


def _side_by_side(streams):
    """Streams of one length, and of one mask, as one on the feature axis."""
    return Tokens(jnp.concatenate([stream.values for stream in streams], axis=-1), streams[0].mask)
