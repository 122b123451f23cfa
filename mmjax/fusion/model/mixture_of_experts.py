"""Mixture of experts over the joined embeddings."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import settle
from mmjax.layers.precision import at_least_float32
from mmjax.layers.softmax import softmax
from mmjax.types import Array


class MixtureOfExperts(nn.Module):
    """F = sum over the K best experts of g_e E_e(x), x = [h_1; ...; h_M], g = softmax of the K largest router logits.

    An expert is a dense layer with relu and another without. `penalty` is `load_balance` times the squared coefficient
    of variation of the experts' importance, their gates summed over the batch's examples. K = E is the dense mixture.
    The router has no noise: the loss alone keeps experts in use. All experts are computed, and K of them count: for
    a handful of small ones that is faster than to send examples about.

    References:
      Shazeer et al., Outrageously Large Neural Networks: the Sparsely-Gated Mixture-of-Experts Layer, ICLR 2017,
      equations 1, 3, 6 and 7 (without the noise of 4).
    """

    width: int = DEFAULTS.width
    experts: int = DEFAULTS.experts
    active_experts: int = DEFAULTS.active_experts
    load_balance: float = DEFAULTS.load_balance
    axis_name: str | None = None
    joins = "embeddings"
    heads_per_modality = False
    whole_batch = True  # the penalty is of the gates' sums

    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        return self.with_penalty(embeddings, present)[0]

    @nn.compact
    def with_penalty(self, embeddings, present=None):
        """F, and the scalar that the loss adds; examples without any modality have no part in it."""
        embeddings, present = settle(embeddings, present)
        x = jnp.concatenate(list(embeddings.values()), axis=-1)
        gates = top_gates(nn.Dense(self.experts, use_bias=False, name="router")(x), self.active_experts)
        hidden = nn.relu(self._layer("hidden", jnp.broadcast_to(x, (self.experts, *x.shape))))
        fused = jnp.einsum("be,ebw->bw", gates, self._layer("output", hidden))
        importance = jnp.where(present.any(1, keepdims=True), at_least_float32(gates), 0).sum(0)
        if self.axis_name and not self.is_initializing():
            importance = jax.lax.psum(importance, self.axis_name)
        return fused, self.load_balance * squared_variation(importance)

    def _layer(self, name: str, values: Array) -> Array:
        """A dense layer an expert, of values [E, B, d]."""
        initial = nn.initializers.lecun_normal(batch_axis=0)
        kernel = self.param(f"{name}_kernel", initial, (self.experts, values.shape[-1], self.width))
        bias = self.param(f"{name}_bias", nn.initializers.zeros, (self.experts, self.width))
        return jnp.einsum("ebd,edw->ebw", values, kernel) + bias[:, None]


def top_gates(logits: Array, active: int) -> Array:
    """Softmax over the `active` largest of each row of [B, E]; 0 elsewhere."""
    values, chosen = jax.lax.top_k(logits, active)
    hot = jax.nn.one_hot(chosen, logits.shape[-1], dtype=logits.dtype)
    return jnp.einsum("bk,bke->be", softmax(values), hot)


def squared_variation(values: Array) -> Array:
    """Variance over squared mean, of values [E] >= 0; 0 for zeros."""
    mean = values.mean()
    return values.var() / jnp.where(mean > 0, mean, 1) ** 2
