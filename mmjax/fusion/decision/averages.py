"""Means of the modalities' decisions."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.fusion.presence import masked_softmax, settle
from mmjax.types import TARGET_KINDS, Array


class Mean(nn.Module):
    """p = mean_i p_i over the modalities present; for regression the mean of the values."""

    regression: bool = False
    trained = False
    evidential = False
    targets = TARGET_KINDS

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        weights = present / jnp.maximum(present.sum(1, keepdims=True), 1)
        return _weigh(logits, weights, self.regression)


class WeightedMean(nn.Module):
    """p = sum_i w_i p_i, w = softmax of a parameter, over the modalities present.

    w lies on the simplex and is fitted to the validation decisions' likelihood; equal w is `Mean`.
    """

    regression: bool = False
    trained = False
    evidential = False
    targets = TARGET_KINDS

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        weights = self.param("weights", nn.initializers.zeros, (len(logits),))
        return _weigh(logits, masked_softmax(jnp.broadcast_to(weights, present.shape), present), self.regression)


def _weigh(logits: dict[str, Array], weights: Array, regression: bool) -> Array:
    """Sum_i weights_i p_i as log-probabilities, or of the values themselves; weights [B, M]."""
    stacked = jnp.stack(list(logits.values()), axis=1)
    if regression:
        return jnp.einsum("bm,bmk->bk", weights, stacked)
    # In logarithms, so that a probability that underflows does not become log 0. A weight of 0
    # takes the smallest logarithm instead of -inf, whose gradient would be NaN.
    tiny = jnp.finfo(stacked.dtype).tiny
    log_weights = jnp.log(jnp.maximum(weights, tiny))[:, :, None]
    log_p = jax.nn.logsumexp(log_weights + jax.nn.log_softmax(stacked), axis=1)
    return jax.nn.log_softmax(log_p)
