"""Fusion by gates: one modality decides what passes of another."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import masked_softmax, settle


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
        states = [jnp.tanh(_linear(self.width, f"project_{name}")(h)) for name, h in embeddings.items()]
        if len(states) == 2:
            gate = nn.sigmoid(_linear(self.width, "gate")(together))
            gates = [gate, 1 - gate]
        else:
            gates = [nn.sigmoid(_linear(self.width, f"gate_{name}")(together)) for name in embeddings]
        return sum(gate * state for gate, state in zip(gates, states, strict=True))


class KielaGate(nn.Module):
    """F = prod_{i<M} sigmoid(W_i h_i) * W_M h_M: all modalities but the last gate the last.

    The order is that of the modalities' names, and matters. An absent gate is open; where the gated modality is
    absent, F is 0.

    References:
      Kiela et al., Efficient Large-Scale Multi-Modal Classification, AAAI 2018, section 3.2 ("gated").
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        *gating, gated = embeddings
        fused = _linear(self.width, f"project_{gated}")(embeddings[gated])
        for i, name in enumerate(gating):
            gate = nn.sigmoid(_linear(self.width, f"gate_{name}")(embeddings[name]))
            fused *= jnp.where(present[:, i, None], gate, 1)
        return fused


class Film(nn.Module):
    """z_1 = h_1, z_i = gamma_i(z_{i-1}) * h_i + beta_i(z_{i-1}), F = z_M: each modality is modulated by those before.

    gamma and beta are linear; gamma starts around 1 and beta around 0, where F = h_M. While nothing before modality i
    is present, gamma = 1 and beta = 0 exactly. The order is that of the modalities' names, and matters.

    References:
      Perez et al., FiLM: Visual Reasoning with a General Conditioning Layer, AAAI 2018, equation 2.
    """

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, d_M]."""
        embeddings, present = settle(embeddings, present)
        (_, fused), *others = embeddings.items()
        for i, (name, h) in enumerate(others):
            conditioned = present[:, : i + 1].any(1, keepdims=True)
            gamma = nn.Dense(h.shape[-1], bias_init=nn.initializers.ones, name=f"gamma_{name}")(fused)
            beta = nn.Dense(h.shape[-1], name=f"beta_{name}")(fused)
            fused = jnp.where(conditioned, gamma * h + beta, h)
        return fused


class NLGate(nn.Module):
    """F = q + softmax(q K' / sqrt(width)) V, with q = W [h_1; ...; h_M], K_i = W^K_i h_i and V_i = W^V_i h_i.

    A non-local block whose positions are the modalities present, and whose query is their joint context.

    References:
      Wang et al., Non-local Neural Networks, CVPR 2018, equations 1 and 6; as a gate between modalities:
      Wang et al., What Makes Training Multi-modal Classification Networks Hard?, CVPR 2020, section 4.1.
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        query = _linear(self.width, "query")(jnp.concatenate(list(embeddings.values()), axis=-1))
        keys = jnp.stack([_linear(self.width, f"key_{name}")(h) for name, h in embeddings.items()], axis=1)
        values = jnp.stack([_linear(self.width, f"value_{name}")(h) for name, h in embeddings.items()], axis=1)
        scores = jnp.einsum("bd,bmd->bm", query, keys) / self.width**0.5
        return query + jnp.einsum("bm,bmd->bd", masked_softmax(scores, present), values)


def _linear(width, name):
    return nn.Dense(width, use_bias=False, name=name)
