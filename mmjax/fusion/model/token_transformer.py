"""One transformer over the tokens of all modalities."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.fusion.model.tokens import Attending, learned_tokens, project
from mmjax.layers.attention import join_tokens


class TokenTransformer(Attending):
    """F = norm(CLS) after `fusion_layers` blocks over [CLS; W_1 H_1 + e_1; ...; W_M H_M + e_M].

    CLS and the modality embeddings e_i are learned. No positions are added: the order of a modality's steps is what its
    encoder made of it. Tokens that are not valid are attended by none.
    """

    fusion_layers: int = DEFAULTS.fusion_layers

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, width]."""
        modalities = list(project(sequences, masks, self.width).values())
        rows = modalities[0].mask.shape[0]
        tokens = join_tokens([learned_tokens(self, "class", 1, self.width, rows), *modalities])
        values = tokens.values
        for layer in range(self.fusion_layers):
            values = self.block(f"block_{layer}")(values, tokens.mask, train)
        return nn.LayerNorm(name="norm")(values[:, 0])
