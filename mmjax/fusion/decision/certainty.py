"""Means of the modalities' decisions, weighted example by example by how certain each is.

p = sum_i w_i p_i / sum_i w_i over the modalities present; equal w_i are `Mean`.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.decision.averages import weigh
from mmjax.fusion.decision.rule import Rule, settle_decisions
from mmjax.types import Array


class Confidence(Rule):
    """w_i = max_k p_ik."""

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle_decisions(logits, present)
        return weigh(logits, present, _log_probabilities(logits).max(-1))


class Entropy(Rule):
    """w_i = exp(-H(p_i) / tau), H in nats: large tau is `Mean`, small tau the most certain modality alone."""

    temperature: float = DEFAULTS.temperature

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle_decisions(logits, present)
        log_p = _log_probabilities(logits)
        entropy = -(jnp.exp(log_p) * log_p).sum(-1)
        return weigh(logits, present, -entropy / self.temperature)


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
        logits, present = settle_decisions(logits, present)
        energy = jax.nn.logsumexp(jnp.stack(list(logits.values()), axis=1), axis=-1)
        above = present & (energy > jnp.finfo(energy.dtype).eps)
        heard = jnp.where(above.any(1, keepdims=True), above, present)
        return weigh(logits, heard, jnp.log(jnp.where(above, energy, 1)))


def _log_probabilities(logits) -> Array:
    """Log p_i [B, M, K]."""
    return jax.nn.log_softmax(jnp.stack(list(logits.values()), axis=1))
