"""Elections, in which modalities rank the classes."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.fusion.decision.rule import Rule, settle_decisions
from mmjax.types import Array


class Vote(Rule):
    """Majority: p_k proportional to v_k + s_k / (m + 1), v_k the votes of the m modalities present.

    Each votes for its most likely class (the first of several). Equal votes are told apart by the summed
    probability s_k = sum_i p_ik, which overturns no vote: s_k <= m, so s_k / (m + 1) < 1, and the votes of two
    classes differ by 1 at least or not at all.
    """

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        stacked, rows = _stack(logits, present)
        votes = jax.nn.one_hot(stacked.argmax(-1), stacked.shape[-1], dtype=stacked.dtype)
        return _elect(votes, 1, stacked, rows)


class Borda(Rule):
    """Rank sum: p_k proportional to r_k + s_k / (2 (m + 1)), r_k the points from the m modalities present.

    From each a class has as many points as there are classes less likely than it, and half a point for every other
    one that is as likely. Equal points are told apart by the summed probability s_k = sum_i p_ik, which overturns
    none: s_k <= m, so s_k / (2 (m + 1)) < 1/2, and the points of two classes differ by 1/2 at least or not at all.
    """

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        stacked, rows = _stack(logits, present)
        beaten = jnp.sign(stacked[..., :, None] - stacked[..., None, :]).sum(-1)  # less those that beat it
        points = (beaten + stacked.shape[-1] - 1) / 2
        return _elect(points, 1 / 2, stacked, rows)


def _stack(logits, present) -> tuple[Array, Array]:
    """Logits [B, M, K], 0 where absent, and presence [B, M, 1]."""
    logits, present = settle_decisions(logits, present)
    return jnp.stack(list(logits.values()), axis=1), present[:, :, None]


def _elect(points: Array, least: float, logits: Array, rows: Array) -> Array:
    """Log of sum_i points_i + least * sum_i p_i / (m + 1) over the rows present, normalised.

    Args:
      points: [B, M, K].
      least: what two classes' points differ by, if they do.
      logits, rows: as `_stack` gives them.
    """
    # In logarithms: a class without points must not have a probability that underflows to 0.
    lowest = jnp.finfo(logits.dtype).min
    total = jnp.where(rows, points, 0).sum(1)
    log_points = jnp.where(total > 0, jnp.log(jnp.where(total > 0, total, 1)), lowest)
    log_sum = jax.nn.logsumexp(jnp.where(rows, jax.nn.log_softmax(logits), lowest), axis=1)
    return jax.nn.log_softmax(jnp.logaddexp(log_points, log_sum + jnp.log(least / (rows.sum(1) + 1))))
