"""Trusted multi-view classification: decisions with their evidence.

A view's evidence is e_i = softplus(l_i), its opinion the Dirichlet with alpha = e_i + 1: belief b = e_i / S,
uncertainty u = K / S, S = sum alpha. An absent view has no evidence.
"""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.decision.rule import CLASSIFICATION, settle_decisions
from mmjax.fusion.presence import mean_of_present

LARGEST = 1e30  # of prod_i (1 + e_i / K)


class Opinions(nn.Module):
    """What the rules on evidence share; each has its own `fuse` and `penalty`. Attributes as in `Rule`."""

    trained = True
    evidential = True
    pseudo_view = False
    targets = CLASSIFICATION

    def evidence(self, logits, present=None):
        """Logits, view -> [B, K], to evidence, view -> [B, K] >= 0, and the fused one under "fused"."""
        logits, present = settle_decisions(logits, present)
        evidence = {name: softplus(l) * present[:, i, None] for i, (name, l) in enumerate(logits.items())}
        return {**evidence, "fused": self.fuse(list(evidence.values()), present)}

    def __call__(self, logits, present=None):
        """Logits, view -> [B, K], to log p [B, K], p the fused Dirichlet's mean alpha / S."""
        return log_mean(self.evidence(logits, present)["fused"])


class Evidential(Opinions):
    """Dempster's reduced rule over the modalities' opinions.

    The rule's normaliser 1 - C cancels between belief and uncertainty, and what is left is
    1 + e/K = prod_i (1 + e_i/K): linear in M and K, independent of the order, with no division by a conflict
    near 1. No evidence is its neutral element.

    References:
      Han et al., Trusted Multi-View Classification, ICLR 2021, definition 4 and equation 7.
    """

    def fuse(self, evidences, present):
        """Evidences, each [B, K], to that of their combination [B, K]."""
        return combine(evidences)

    def penalty(self, evidence, present=None):
        """None, [B]."""
        return jnp.zeros(evidence["fused"].shape[0])


class EvidentialPseudo(Opinions):
    """`Evidential` with one more view, whose logits are made of all embeddings side by side.

    References:
      Han et al., Trusted Multi-View Classification with Dynamic Evidential Fusion, TPAMI 2022 (ETMC).
    """

    pseudo_view = True

    def fuse(self, evidences, present):
        """Evidences, each [B, K], to that of their combination [B, K]."""
        return combine(evidences)

    def penalty(self, evidence, present=None):
        """None, [B]."""
        return jnp.zeros(evidence["fused"].shape[0])


class EvidentialAverage(Opinions):
    """The mean of the evidences of the views present, with a loss on their conflict: certain views that disagree.

    The authors' code halves repeatedly, e = (e_i + e) / 2, in which the last of more than two views has half the
    weight; here all have the same. Its penalty adds up all ordered pairs and divides by M - 1; here it is the mean
    over pairs, M times less, which does not grow with M.

    References:
      Xu et al., Reliable Conflictive Multi-View Learning, AAAI 2024 (ECML); github.com/jiajunsi/RCML.
    """

    conflict_weight: float = DEFAULTS.conflict_weight

    def fuse(self, evidences, present):
        """Evidences, each [B, K], to their mean over the views present [B, M]; none where none is."""
        return mean_of_present(jnp.stack(evidences, axis=1), present)

    def penalty(self, evidence, present=None):
        """Gamma times the mean of c_ij over the pairs of views present, [B] in [0, gamma); 0 of less than two views.

        c_ij = 1/2 sum_k |p_ik - p_jk| (1 - u_i) (1 - u_j), p_i = alpha_i / S_i: the distance of what the views
        expect, by how certain they are of it.
        """
        views, present = settle_decisions({name: e for name, e in evidence.items() if name != "fused"}, present)
        stacked = jnp.stack(list(views.values()), axis=1)
        strength = stacked.sum(-1) + stacked.shape[-1]
        expected, certainty = (stacked + 1) / strength[:, :, None], stacked.sum(-1) / strength
        distance = jnp.abs(expected[:, :, None] - expected[:, None]).sum(-1) / 2
        conflict = jnp.einsum("bij,bi,bj->b", distance, certainty, certainty)
        count = present.sum(1)
        return self.conflict_weight * conflict / jnp.maximum(count * (count - 1), 1)


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
