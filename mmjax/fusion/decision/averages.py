"""Means of the modalities' decisions, with the same weights for every example."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from mmjax.fusion.decision.likelihood import most_likely
from mmjax.fusion.decision.rule import Rule, settle_decisions, settle_validation
from mmjax.fusion.presence import masked_softmax
from mmjax.types import TARGET_KINDS, Array

LOG_TEMPERATURES = (-5.0, 5.0)  # between which a temperature's logarithm is sought


class Mean(Rule):
    """p = mean_i p_i over the modalities present; for regression the mean of the values."""

    regression: bool = False
    targets = TARGET_KINDS

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, present = settle_decisions(logits, present)
        return weigh(logits, present, regression=self.regression)


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
        logits, present = settle_decisions(logits, present)
        weights = self.param("weights", nn.initializers.zeros, (len(logits),))
        return weigh(logits, present, weights, self.regression)

    @nn.nowrap
    def fit(self, logits, present, truth):
        """The parameters that `most_likely` finds from equal weights."""
        logits, present, truth = settle_validation(logits, present, truth, self.regression)
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
        logits, present = settle_decisions(logits, present)
        log_temperatures = self.param("log_temperatures", nn.initializers.zeros, (len(logits),))
        cooled = {n: l * jnp.exp(-log_t) for (n, l), log_t in zip(logits.items(), log_temperatures, strict=True)}
        return weigh(cooled, present)

    @nn.nowrap
    def fit(self, logits, present, truth):
        """The temperatures that fit validation decisions [n, K], their presence and classes [n]."""
        logits, present, truth = settle_validation(logits, present, truth)
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


def weigh(
    logits: dict[str, Array], present: Array, log_weights: Array | float = 0.0, regression: bool = False
) -> Array:
    """Log of sum_i w_i p_i / sum_i w_i over the modalities present; of values themselves their weighted mean.

    In logarithms throughout: a probability that underflows is not 0, and an absent modality has the least weight
    there is, not one that shows beside such a probability.

    Args:
      logits: modality -> [B, K], as `settle` gives them.
      present: [B, M] bool.
      log_weights: log w_i, broadcast to [B, M].
      regression: whether these are values.

    Returns:
      [B, K]; uniform, or 0, where none is present.
    """
    stacked = jnp.stack(list(logits.values()), axis=1)
    if regression:
        return jnp.einsum("bm,bmk->bk", masked_softmax(jnp.broadcast_to(log_weights, present.shape), present), stacked)
    log_weights = jnp.where(present, log_weights, jnp.finfo(stacked.dtype).min)
    return jax.nn.log_softmax(jax.nn.logsumexp(log_weights[:, :, None] + jax.nn.log_softmax(stacked), axis=1))
