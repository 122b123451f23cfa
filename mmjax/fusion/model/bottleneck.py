"""Multimodal bottleneck transformer."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.model.tokens import Attending, learned_tokens, project
from mmjax.fusion.presence import mean_of_present, require_masks
from mmjax.layers.attention import Tokens, join_tokens


class Bottleneck(Attending):
    """A transformer a modality, which exchange through B shared tokens Z from block L_f on.

    Block l of modality i sees [CLS_i; H_i] below L_f, and [Z; CLS_i; H_i] from there: all modalities read the same old
    Z, and the new one is the mean of what they made of it, over those present. F is the mean of their normalised
    CLS tokens, so a linear decoder averages the modalities' logits, as in the paper. L_f = L is late fusion.

    References:
      Nagrani et al., Attention Bottlenecks for Multimodal Fusion, NeurIPS 2021, equations 8 and 9.
    """

    fusion_layers: int = DEFAULTS.fusion_layers
    fusion_layer: int = DEFAULTS.fusion_layer
    bottleneck_tokens: int = DEFAULTS.bottleneck_tokens

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, width]."""
        require_masks(sequences, masks)
        names = sorted(sequences)
        present = jnp.stack([masks[name].any(1) for name in names], axis=1)
        rows, count = present.shape[0], self.bottleneck_tokens
        streams = [
            join_tokens([learned_tokens(self, f"class_{name}", 1, self.width, rows), tokens])
            for name, tokens in project(sequences, masks, self.width).items()
        ]
        if self.fusion_layer < self.fusion_layers:
            shared = learned_tokens(self, "bottleneck", count, self.width, rows)
        for layer in range(self.fusion_layers):
            blocks = self.blocks(f"blocks_{layer}")
            if layer < self.fusion_layer:
                streams = blocks(streams, train)
                continue
            joined = blocks([join_tokens([shared, stream]) for stream in streams], train)
            shared = shared._replace(values=_mean([values[:, :count] for values, _ in joined], present))
            streams = [Tokens(values[:, count:], mask[:, count:]) for values, mask in joined]
        norms = [nn.LayerNorm(name=f"norm_{name}") for name in names]
        return _mean([norm(values[:, 0]) for norm, (values, _) in zip(norms, streams, strict=True)], present)


def _mean(values, present):
    """Mean over the modalities present of values, each [B, ...]."""
    stacked = jnp.stack(values, axis=1)
    rows = present.reshape(present.shape + (1,) * (stacked.ndim - 2))
    return mean_of_present(jnp.where(rows, stacked, 0), present)
