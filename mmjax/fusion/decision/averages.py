"""Means of the modalities' decisions, with the same weights for every example."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from mmjax.fusion.decision.likelihood import most_likely
from mmjax.fusion.decision.rule import Rule
from mmjax.fusion.presence import masked_softmax, settle
from mmjax.types import TARGET_KINDS, Array

LOG_TEMPERATURES = (-5.0, 5.0)  # between which a temperature's logarithm is sought


class Mean(Rule):
    """p = mean_i p_i over the modalities present; for regression the mean of the values."""

    regression: bool = False
    targets = TARGET_KINDS

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        return weigh(logits, equal_weights(present), self.regression)


class WeightedMean(Rule):
    """p = sum_i w_i p_i, w = softmax of a parameter, over the modalities present.

    w lies on the simplex and is fitted to the validation decisions' likelihood (regression: to their squared
    error); equal w is `Mean`.
    """

    regression: bool = False
    targets = TARGET_KINDS

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        weights = self.param("weights", nn.initializers.zeros, (len(logits),))
        return weigh(logits, masked_softmax(jnp.broadcast_to(weights, present.shape), present), self.regression)

    @nn.nowrap
    def fit(self, logits, present, truth):
        """The parameters that `most_likely` finds from equal weights."""
        return most_likely(self, "weights", np.zeros(len(logits)), logits, present, truth)


class CalibratedMean(Rule):
    """p = mean_i softmax(l_i / T_i) over the modalities present; T = 1 is `Mean`.

    A modality's temperature minimises its own negative log-likelihood over the validation rows in which it is
    present. That loss is convex in 1 / T, so the minimum is one; a modality without a mistake would take T to 0,
    which the bounds of log T stop. A modality that validation never has keeps T = 1.

    References:
      Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
    """

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle(logits, present)
        log_temperatures = self.param("log_temperatures", nn.initializers.zeros, (len(logits),))
        cooled = {n: l * jnp.exp(-log_t) for (n, l), log_t in zip(logits.items(), log_temperatures, strict=True)}
        return weigh(cooled, equal_weights(present))

    @nn.nowrap
    def fit(self, logits, present, truth):
        """The temperatures that fit validation decisions [n, K], their presence and classes [n]."""
        log_temperatures = [_log_temperature(logits[n][present[n]], truth[present[n]]) for n in sorted(logits)]
        return {"log_temperatures": np.float32(log_temperatures)}


def _log_temperature(logits, truth):
    if not len(truth):
        return 0.0
    logits = logits.astype(np.float64)

    def loss(log_temperature):
        log_p = log_softmax(logits * np.exp(-log_temperature), axis=1)
        return -np.take_along_axis(log_p, truth[:, None], axis=1).mean()

    return minimize_scalar(loss, bounds=LOG_TEMPERATURES, method="bounded").x


def equal_weights(present: Array) -> Array:
    """One over the number of modalities present [B, M], 0 for the absent ones."""
    return present / jnp.maximum(present.sum(1, keepdims=True), 1)


def weigh(logits: dict[str, Array], weights: Array, regression: bool = False) -> Array:
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
