"""Fusion by attention between every ordered pair of modalities."""

from itertools import permutations

import flax.linen as nn
import jax.numpy as jnp

from mmjax.fusion.model.tokens import Attending, project
from mmjax.fusion.presence import require_several
from mmjax.layers.pooling import masked_mean


class CrossAttention(Attending):
    """F = [pool(block_ab(H_a, H_b)) for every ordered pair a, b].

    A block's queries are the steps of a, its keys and values those of b; its output is averaged over a's
    valid steps. A query may also gather nothing, so that there is a choice where b is a vector, a sequence of one step.
    Where b is absent a passes on by the residual, where a is absent the pair gives 0.
    """

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, M (M - 1) width]."""
        require_several("cross_attention", sequences)
        pairs = list(permutations(project(sequences, masks, self.width).values(), 2))
        attended = self.blocks("pairs", optional=True)([a for a, _ in pairs], train, [b for _, b in pairs])
        return jnp.concatenate([masked_mean(*tokens) for tokens in attended], axis=-1)
