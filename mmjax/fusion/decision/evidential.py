"""Trusted multi-view classification: decisions with their evidence."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.fusion.presence import settle

LARGEST = 1e30  # of prod_i (1 + e_i / K)


class Evidential(nn.Module):
    """Dempster's reduced rule over the modalities' Dirichlet opinions.

    A modality's evidence is e_i = softplus(l_i), its opinion the Dirichlet with alpha = e_i + 1:
    belief b = e_i / S, uncertainty u = K / S, S = sum alpha. The rule's normaliser 1 - C cancels
    between belief and uncertainty, and what is left is 1 + e/K = prod_i (1 + e_i/K): linear in M
    and K, independent of the order, with no division by a conflict near 1. An absent modality has no
    evidence, which is the rule's neutral element.

    References:
      Han et al., Trusted Multi-View Classification, ICLR 2021, definition 4 and equation 7.
    """

    trained = True
    evidential = True
    targets = ("binary", "multiclass", "multilabel")

    def evidence(self, logits, present=None):
        """Logits, modality -> [B, K], to evidence, modality -> [B, K] >= 0, and the fused one under "fused"."""
        logits, present = settle(logits, present)
        evidence = {name: softplus(l) * present[:, i, None] for i, (name, l) in enumerate(logits.items())}
        return {**evidence, "fused": combine(list(evidence.values()))}

    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K], p the fused Dirichlet's mean alpha / S."""
        return log_mean(self.evidence(logits, present)["fused"])


def softplus(x):
    """log(1 + exp(x)), to within float32's rounding of alpha = evidence + 1; a third of the library's time."""
    return jnp.maximum(x, 0) + jnp.log(1 + jnp.exp(-jnp.abs(x)))


def combine(evidences):
    """The fused evidence of opinions, each [B, K]; held at K * LARGEST, before certainties overflow."""
    classes = evidences[0].shape[-1]
    product = 1.0
    for evidence in evidences:
        product = jnp.minimum(product * (1 + evidence / classes), LARGEST)
    return classes * (product - 1)


def log_mean(evidence):
    """Log of the mean of the Dirichlet with parameters evidence + 1, [B, K]."""
    alpha = evidence + 1
    return jnp.log(alpha) - jnp.log(alpha.sum(-1, keepdims=True))
