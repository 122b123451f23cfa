"""Means of the modalities' decisions, weighted example by example by how certain each is.

p = sum_i w_i p_i / sum_i w_i over the modalities present; equal w_i are `Mean`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.decision.averages import equal_weights, weigh
from mmjax.fusion.decision.rule import Rule
from mmjax.fusion.presence import masked_softmax, settle
from mmjax.types import Array


class Confidence(Rule):
    """w_i = max_k p_ik."""

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        weights = jax.nn.softmax(_stack(logits)).max(-1)
        return weigh(logits, _normalise(weights, present))


class Entropy(Rule):
    """w_i = exp(-H(p_i) / tau), H in nats: large tau is `Mean`, small tau the most certain modality alone."""

    temperature: float = DEFAULTS.temperature

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        log_p = jax.nn.log_softmax(_stack(logits))
        entropy = -(jnp.exp(log_p) * log_p).sum(-1)
        return weigh(logits, masked_softmax(-entropy / self.temperature, present))


class Energy(Rule):
    """w_i = log sum_k exp l_ik, the logits' negative free energy, where that is above 0.

    A weight cannot be negative, or p would be none: a modality below 0 has no say, unless all are, which then have
    the same. Unlike every other rule's p, this one depends on what is common to a modality's logits.

    References:
      Zhang et al., Provable Dynamic Fusion for Low-Quality Multimodal Data, ICML 2023 (QMF), whose energies weigh
      logits; here they weigh probabilities, as everywhere in this file.
    """

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        weights = jnp.maximum(jax.nn.logsumexp(_stack(logits), axis=-1), 0)
        return weigh(logits, _normalise(weights, present))


def _stack(logits) -> Array:
    """[B, M, K]."""
    return jnp.stack(list(logits.values()), axis=1)


def _normalise(weights: Array, present: Array) -> Array:
    """Weights [B, M] >= 0 to a sum of 1 over the modalities present; equal where none of theirs is above 0."""
    weights = jnp.where(present, weights, 0)
    total = weights.sum(1, keepdims=True)
    return jnp.where(total > 0, weights / jnp.where(total > 0, total, 1), equal_weights(present))
