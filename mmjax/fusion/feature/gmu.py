"""Gated multimodal unit."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import settle


class GMU(nn.Module):
    """F = sum_i g_i * tanh(W_i h_i) with g_i = sigmoid(V_i [h_1; ...; h_M]).

    For two modalities one gate serves both: g_2 = 1 - g_1. Neither map has a bias, as in the
    paper, so an absent modality adds exactly nothing.

    References:
      Arevalo et al., Gated Multimodal Units for Information Fusion, 2017, section 3.1.
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, _ = settle(embeddings, present)
        together = jnp.concatenate(list(embeddings.values()), axis=-1)
        states = [jnp.tanh(self._linear(f"project_{name}")(h)) for name, h in embeddings.items()]
        if len(states) == 2:
            gate = nn.sigmoid(self._linear("gate")(together))
            gates = [gate, 1 - gate]
        else:
            gates = [nn.sigmoid(self._linear(f"gate_{name}")(together)) for name in embeddings]
        return sum(gate * state for gate, state in zip(gates, states, strict=True))

    def _linear(self, name):
        return nn.Dense(self.width, use_bias=False, name=name)
