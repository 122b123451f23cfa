"""Losses of every modality and of D, weighed by how each generalises against how it overfits."""

from __future__ import annotations

import jax.numpy as jnp

from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting
from mmjax.types import Array

LEAST_OVERFITTING = 1e-3  # in units of the loss; less is noise, and its square would be divided by
LEAST_OF_D = 0.05  # weight of L(D): nothing else teaches the decoder that predicts
TINY = 1e-30  # keeps a quotient finite


class Apart(Goal):
    """A throw-away head on every E_i, each encoder alone: how modality i generalises and overfits."""

    encoders_alone = True
    measures = True
    throwaway_heads = True

    def remember(self, outputs, previous):
        return previous or no_measurements(self.setting)

    def losses(self, seen: Seen):
        return (sum(self.losses_of(seen.heads, seen.batch).values()),), {}

    def measured(self, memory, held_in, held_out, after):
        return note(memory, slice(-1), held_in, held_out, after)

    def counted(self, batch):
        return [batch.present[name] for name in self.setting.names]

    def decisions(self, outputs, heads):
        return [heads[name] for name in self.setting.names]


class Together(Goal):
    """L(D): how the modalities generalise and overfit together."""

    measures = True

    def remember(self, outputs, previous):
        return previous or no_measurements(self.setting)

    def measured(self, memory, held_in, held_out, after):
        return note(memory, slice(-1, None), held_in, held_out, after)


class Blended(Goal):
    """sum_i w_i L_i + w_D L(D), L_i of a throw-away head on h_i, with the weights that were measured."""

    throwaway_heads = True

    def remember(self, outputs, previous):
        return previous or no_measurements(self.setting)

    def losses(self, seen: Seen):
        own = self.losses_of(seen.heads, seen.batch)
        losses = [*(own[name] for name in self.setting.names), self.plain_loss(seen)]
        weights = blend_weights(**seen.memory)
        return (sum(weight * loss for weight, loss in zip(weights, losses, strict=True)),), {}


def no_measurements(setting: Setting) -> dict[str, Array]:
    """The memory of all three phases: "before" and "after" training, each [held in, held out] x [modalities, D]."""
    zeros = jnp.zeros((2, len(setting.names) + 1))
    return {"before": zeros, "after": zeros}


def note(memory: dict[str, Array], which: slice, held_in: Array, held_out: Array, after: bool) -> dict[str, Array]:
    """The memory with the losses of some decisions."""
    when = "after" if after else "before"
    return {**memory, when: memory[when].at[:, which].set(jnp.stack([held_in, held_out]))}


def blend_weights(before: Array, after: Array) -> Array:
    """w_k [K], of sum 1, proportional to G_k / O_k^2.

    G_k is by how much the held-out loss fell, O_k by how much the gap from the held-in one to it grew. The paper's
    gains are positive; here what did not generalise weighs nothing, and where nothing did all weigh the same. D, the
    last, keeps LEAST_OF_D in any case.

    Args:
      before, after: [2, K] mean losses on rows trained on, and on rows held out.

    References: Wang et al., What makes training multi-modal classification networks hard?, CVPR 2020, proposition 1.
    """
    gains = jnp.maximum(before[1] - after[1], 0)
    overfitting = jnp.abs((after[1] - after[0]) - (before[1] - before[0]))
    ratios = gains / jnp.square(jnp.maximum(overfitting, LEAST_OVERFITTING))
    weights = jnp.where(ratios.any(), ratios, 1)
    own, of_d = weights[:-1], weights[-1] / weights.sum()
    of_d = jnp.maximum(of_d, LEAST_OF_D)
    return jnp.append((1 - of_d) * own / jnp.maximum(own.sum(), TINY), of_d)


def gradient_blend(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """Offline G-Blend, each phase from the same theta: every modality alone, D alone, then all of them blended.

    The first two train without a slice of the training split, taken at random, and are measured on it and on as many
    rows of the others, taken at random too; a modality on those that have it.
    """
    epochs = setting.config.epochs
    return (
        Phase("blend_modalities", ("encoders",), Apart(setting), epochs, held_out=True),
        Phase("blend_joint", PARTS, Together(setting), epochs, restart=True, held_out=True),
        Phase("blended", PARTS, Blended(setting), epochs, restart=True),
    )
