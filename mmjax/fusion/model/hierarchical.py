"""Attention from one stream to many, and from many to one."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.fusion.model.tokens import Attending, learned_tokens, project
from mmjax.layers.attention import Tokens, join_tokens


class Hierarchical(Attending):
    """F = norm(q) of a learned query q that reads M streams, into which one stream over all modalities has parted.

    One to many: Y = `fusion_layers` blocks over the joint sequence [W_1 H_1 + e_1; ...; W_M H_M + e_M], e_i a
    learned embedding of the modality; Y is cut into the modalities' parts again, and each passes a block of its own,
    in which a step may also gather nothing: X_i = block_i(Y_i). Many to one: q = block(q_0, [X_1; ...; X_M]), q_0 the
    query, the streams its keys and values. Joint and separate attention are thus on top of each other,
    where CoAttention has them in each layer and no parameters that modalities share.

    References:
      Xu, Zhu and Clifton, Multimodal Learning with Transformers: A Survey, TPAMI 2023, hierarchical attention (one
      stream to many, many to one); both are compared by Xue et al., MultiBench++, arXiv:2511.06452, 2025.
    """

    fusion_layers: int = DEFAULTS.fusion_layers

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, width]."""
        parts = list(project(sequences, masks, self.width).values())
        joint, mask = join_tokens(parts)
        for layer in range(self.fusion_layers):
            joint = self.block(f"joint_{layer}")(joint, mask, train)
        streams, first = [], 0
        for _, part in parts:
            streams.append(Tokens(joint[:, first : first + part.shape[1]], part))
            first += part.shape[1]
        streams = self.blocks("streams", optional=True)(streams, train)
        query = learned_tokens(self, "query", 1, self.width, mask.shape[0])
        answer = self.block("read")(*query, train, *join_tokens(streams))
        return nn.LayerNorm(name="norm")(answer[:, 0])
