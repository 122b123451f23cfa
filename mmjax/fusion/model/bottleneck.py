"""Multimodal bottleneck transformer."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import mean_of_present
from mmjax.layers.attention import TransformerBlock


class Bottleneck(nn.Module):
    """A transformer a modality, which exchange through B shared tokens Z from block L_f on.

    Block l of modality i sees [CLS_i; H_i] below L_f, and [CLS_i; H_i; Z] from there: all modalities read the same old
    Z, and the new one is the mean of what they made of it, over those present. F is the mean of their normalised
    CLS tokens, so a linear decoder averages the modalities' logits, as in the paper. L_f = L is late fusion.

    References:
      Nagrani et al., Attention Bottlenecks for Multimodal Fusion, NeurIPS 2021, equations 8 and 9.
    """

    width: int = DEFAULTS.width
    heads: int = DEFAULTS.heads
    fusion_layers: int = DEFAULTS.fusion_layers
    fusion_layer: int = DEFAULTS.fusion_layer
    bottleneck_tokens: int = DEFAULTS.bottleneck_tokens
    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None
    joins = "sequences"
    heads_per_modality = False

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, width]."""
        names = sorted(sequences)
        present = jnp.stack([masks[name].any(1) for name in names], axis=1)
        tokens = {name: self._with_class_token(name, sequences[name]) for name in names}
        seen = {name: jnp.pad(masks[name], ((0, 0), (1, 0)), constant_values=True) for name in names}
        if self.fusion_layer < self.fusion_layers:
            initial = self.param("bottleneck", nn.initializers.normal(0.02), (self.bottleneck_tokens, self.width))
            shared = jnp.broadcast_to(initial, (present.shape[0], *initial.shape))
        for layer in range(self.fusion_layers):
            made = []
            for name in names:
                block = TransformerBlock(
                    self.width, self.heads, self.dropout, self.axis_name, name=f"block_{layer}_{name}"
                )
                if layer < self.fusion_layer:
                    tokens[name] = block(tokens[name], seen[name], train)
                    continue
                joined = jnp.concatenate([tokens[name], shared], axis=1)
                mask = jnp.pad(seen[name], ((0, 0), (0, self.bottleneck_tokens)), constant_values=True)
                joined = block(joined, mask, train)
                tokens[name], own = jnp.split(joined, [tokens[name].shape[1]], axis=1)
                made.append(own)
            if made:
                shared = _mean(made, present)
        return _mean([nn.LayerNorm(name=f"norm_{name}")(tokens[name][:, 0]) for name in names], present)

    def _with_class_token(self, name, sequence):
        projected = nn.Dense(self.width, name=f"project_{name}")(sequence)
        token = self.param(f"class_{name}", nn.initializers.normal(0.02), (self.width,))
        return jnp.concatenate([jnp.broadcast_to(token, projected[:, :1].shape), projected], axis=1)


def _mean(values, present):
    """Mean over the modalities present of values, each [B, ...]."""
    stacked = jnp.stack(values, axis=1)
    rows = present.reshape(present.shape + (1,) * (stacked.ndim - 2))
    return mean_of_present(jnp.where(rows, stacked, 0), present)
