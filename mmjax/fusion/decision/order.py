"""Order statistics of the modalities' probabilities, class by class."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.fusion.decision.rule import Rule, settle_decisions
from mmjax.types import TARGET_KINDS, Array


class Max(Rule):
    """p_k proportional to max_i p_ik over the modalities present."""

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        log_p, rows = _log_probabilities(logits, present)
        return jax.nn.log_softmax(jnp.where(rows, log_p, jnp.finfo(log_p.dtype).min).max(1))


class Min(Rule):
    """p_k proportional to min_i p_ik over the modalities present."""

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        log_p, rows = _log_probabilities(logits, present)
        return jax.nn.log_softmax(jnp.where(rows, log_p, jnp.finfo(log_p.dtype).max).min(1))


class Median(Rule):
    """p_k proportional to median_i p_ik over the modalities present; for regression the median of the values.

    The median of an even number is the mean of the two in the middle.
    """

    regression: bool = False
    targets = TARGET_KINDS

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present, or the value 0."""
        if self.regression:
            values, present = settle_decisions(logits, present)
            return sum(_middle(jnp.stack(list(values.values()), axis=1), present[:, :, None])) / 2
        lower, upper = _middle(*_log_probabilities(logits, present))
        return jax.nn.log_softmax(jnp.logaddexp(lower, upper))


def _log_probabilities(logits, present) -> tuple[Array, Array]:
    """Log p_i [B, M, K], uniform where absent, and presence [B, M, 1]."""
    logits, present = settle_decisions(logits, present)
    return jax.nn.log_softmax(jnp.stack(list(logits.values()), axis=1)), present[:, :, None]


def _middle(values: Array, rows: Array) -> tuple[Array, Array]:
    """The two in the middle [B, K] of the values [B, M, K] in the rows [B, M, 1] that count; 0 where none does."""
    count = rows.sum(1, keepdims=True)
    ordered = jnp.sort(jnp.where(rows, values, jnp.inf), axis=1)
    places = (jnp.maximum(count - 1, 0) // 2, count // 2)
    return tuple(jnp.where(count[:, 0] > 0, jnp.take_along_axis(ordered, place, axis=1)[:, 0], 0) for place in places)
