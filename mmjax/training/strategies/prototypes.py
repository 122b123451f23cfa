"""Modalities that lag are drawn to prototypes of their classes, and those that lead are held back."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from mmjax.layers.precision import at_least_float32
from mmjax.model import PARTS
from mmjax.training.monitor import ratios
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting
from mmjax.types import Array

NEVER = -1e9  # logit of a class without a prototype: its probability is 0, and no gradient is NaN
TINY = 1e-12  # below every distance and ratio, to divide by


class Prototypes(NamedTuple):
    """Of one modality.

    Attributes:
      centres: c_k [classes, d].
      known: [classes] bool, whether the class has one.
      sums: [classes, d] of h over this epoch's examples.
      counts: [classes] of them.
    """

    centres: Array
    known: Array
    sums: Array
    counts: Array


class PrototypicalRebalance(Goal):
    """L(D) + alpha * sum_i beta_i L_PCE^i - mu * sum_i gamma_i H(p_i), the last sum in the first epochs alone.

    p_i = softmax_k(-|h_i - c_k^i|) over the prototypes c_k^i of modality i; L_PCE^i is its cross-entropy, H(p_i) its
    entropy. rho_i is the mean probability that p_i gives the truth, over the mean of the other modalities'; so
    beta_i = clip(1 / rho_i - 1, 0, 1) is above 0 for one that lags, and gamma_i = clip(rho_i - 1, 0, 1) for one that
    leads. Neither is differentiated. Only examples that have the modality count.

    A prototype is the mean of its class's h_i over an epoch, as they were met, and at the epoch's end joins the one
    before: c <- (1 - momentum) * mean + momentum * c. So the first epoch knows L(D) alone. A class that has had no
    example is no choice of p_i. The authors' code takes means from another pass over a tenth of the data, has beta_i
    in {0, 1}, and no entropy.

    References: Fan et al., PMR, CVPR 2023, section 3; rho_i there is of two modalities.
    """

    def remember(self, outputs, previous):
        def empty(h):
            classes = self.setting.target.classes
            sums, counts = jnp.zeros((classes, h.shape[-1])), jnp.zeros(classes)
            return Prototypes(sums, counts > 0, sums, counts)

        prototypes = {name: empty(outputs.embeddings[name]) for name in self.setting.names}
        return {"prototypes": prototypes, "refreshed": jnp.int32(0)}

    def losses(self, seen: Seen):
        config, batch, memory = self.setting.config, seen.batch, seen.memory
        log_p, counted, scores = {}, {}, []
        for name in self.setting.names:
            prototypes = memory["prototypes"][name]
            log_p[name] = log_probabilities(prototypes, seen.outputs.embeddings[name])
            counted[name] = batch.present[name] & prototypes.known[batch.target]
            scores.append(self._mean(jnp.exp(_at(log_p[name], batch.target)), counted[name] * batch.weight))
        weak, strong = coefficients(jax.lax.stop_gradient(jnp.stack(scores)))
        strong = jnp.where(memory["refreshed"] <= config.prototype_entropy_epochs, strong, 0)
        loss = self.plain_loss(seen)
        for place, name in enumerate(self.setting.names):
            entropy = -(jnp.exp(log_p[name]) * log_p[name]).sum(-1)
            drawn = config.prototype_weight * weak[place] * -_at(log_p[name], batch.target)
            held = config.prototype_entropy * strong[place] * entropy
            loss = loss + jnp.where(counted[name], drawn - held, 0)
        return (loss,), {name: self._sums(seen, name) for name in self.setting.names}

    def combine(self, gradients, observed, memory, key, step):
        prototypes = dict(memory["prototypes"])
        for name, (sums, counts) in observed.items():
            old = prototypes[name]
            prototypes[name] = old._replace(sums=old.sums + sums, counts=old.counts + counts)
        return gradients[0], {**memory, "prototypes": prototypes}

    def epoch_ended(self, memory):
        momentum = self.setting.config.prototype_momentum
        prototypes = {name: refresh(old, momentum) for name, old in memory["prototypes"].items()}
        return {"prototypes": prototypes, "refreshed": memory["refreshed"] + 1}

    def _mean(self, values: Array, weight: Array) -> Array:
        """Over the rows of all devices; 0 of none."""
        total, count = self.setting.over_devices(((values * weight).sum(), weight.sum()))
        return total / jnp.maximum(count, 1)

    def _sums(self, seen: Seen, name: str) -> tuple[Array, Array]:
        """Of h_i and of ones, by class, over the rows that have the modality."""
        batch = seen.batch
        rows = jax.nn.one_hot(batch.target, self.setting.target.classes) * (batch.weight * batch.present[name])[:, None]
        return rows.T @ jax.lax.stop_gradient(seen.outputs.embeddings[name]), rows.sum(0)


def log_probabilities(prototypes: Prototypes, embeddings: Array) -> Array:
    """log p [B, classes] of h [B, d]: the nearer a prototype, the likelier its class."""
    squares = jnp.square(at_least_float32(embeddings)[:, None] - prototypes.centres).sum(-1)
    return jax.nn.log_softmax(jnp.where(prototypes.known, -jnp.sqrt(jnp.maximum(squares, TINY)), NEVER))


def coefficients(scores: Array) -> tuple[Array, Array]:
    """beta [M] and gamma [M] of the modalities' mean probabilities of the truth, [M]."""
    rho = ratios(scores)
    return jnp.clip(1 / jnp.maximum(rho, TINY) - 1, 0, 1), jnp.clip(rho - 1, 0, 1)


def refresh(prototypes: Prototypes, momentum: float) -> Prototypes:
    """The prototypes after an epoch; a class that was not met keeps its own."""
    centres, known, sums, counts = prototypes
    means = sums / jnp.maximum(counts, 1)[:, None]
    moved = jnp.where(known[:, None], (1 - momentum) * means + momentum * centres, means)
    met = counts > 0
    centres = jnp.where(met[:, None], moved, centres)
    return Prototypes(centres, known | met, jnp.zeros_like(sums), jnp.zeros_like(counts))


def _at(log_p: Array, truth: Array) -> Array:
    """log p of the truth, [B]."""
    return jnp.take_along_axis(log_p, truth[:, None], axis=-1)[:, 0]


def pmr(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase."""
    return (Phase("pmr", PARTS, PrototypicalRebalance(setting), setting.config.epochs),)
