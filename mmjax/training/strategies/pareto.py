"""Every encoder goes where neither D's loss nor its modality's own is made worse."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting

OPPOSED = 1e-6  # if their shortest combination is shorter than this times their sum, two gradients are opposed
TINY = 1e-30  # keeps a quotient finite


class Pareto(Goal):
    """L(D) and sum_i L_i, L_i of a throw-away head on h_i, whose gradients are joined encoder by encoder.

    Fusion, decoder and heads get the sum of both gradients. The authors rescale each array of an encoder by itself,
    which may turn the direction against one of the losses; here an encoder is rescaled as a whole.

    References: Wei and Hu, MMPareto, ICML 2024, algorithm 1.
    """

    throwaway_heads = True

    def losses(self, seen: Seen):
        return (self.plain_loss(seen), sum(self.losses_of(seen.heads, seen.batch).values())), {}

    def combine(self, gradients, observed, memory, key, step):
        of_all, of_each = gradients
        combined = jax.tree.map(jnp.add, of_all, of_each)
        for encoder in [f"encoders_{name}" for name in self.setting.names]:
            if encoder in combined["model"]:
                joined = join(of_all["model"][encoder], of_each["model"][encoder])
                combined["model"][encoder] = optax.tree.scale(self.setting.config.pareto_gamma, joined)
        return combined, memory


def join(first: Any, second: Any) -> Any:
    """The sum of two gradients; where they conflict, a direction that agrees with both, as long as the sum.

    With a negative inner product the direction is that of their shortest convex combination, whose inner product with
    either is its own squared length. Where they are opposed there is none, and the result is 0.
    """
    dot, squares = optax.tree.vdot(first, second), [optax.tree.vdot(g, g) for g in (first, second)]
    # Under conflict the minimum over the segment lies within it, so that nothing need be clipped.
    share = (squares[1] - dot) / jnp.maximum(squares[0] - 2 * dot + squares[1], TINY)
    shortest = jax.tree.map(lambda a, b: share * a + (1 - share) * b, first, second)
    total = jax.tree.map(jnp.add, first, second)
    length, wanted = optax.tree.norm(shortest), optax.tree.norm(total)
    stretch = jnp.where(length > OPPOSED * wanted, wanted / jnp.maximum(length, TINY), 0)
    return jax.tree.map(lambda plain, turned: jnp.where(dot < 0, stretch * turned, plain), total, shortest)


def mmpareto(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase; the heads take no part in decisions."""
    return (Phase("mmpareto", PARTS, Pareto(setting), setting.config.epochs),)
