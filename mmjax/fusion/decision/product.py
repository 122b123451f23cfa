"""Products of experts."""

import flax.linen as nn
import jax
import numpy as np

from mmjax.fusion.decision.rule import Rule, settle_decisions, settle_validation


class Product(Rule):
    """p proportional to prod_i p_i, that is softmax(sum_i l_i): one flat expert changes nothing."""

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, _ = settle_decisions(logits, present)
        return jax.nn.log_softmax(sum(logits.values()))


class NaiveBayes(Rule):
    """p proportional to prior^(1 - m) prod_i p_i over the m modalities present.

    What Bayes' rule makes of modalities that are independent given the class, each p_i a posterior under the same
    prior. The prior is that of `log_prior`; a uniform one is `Product`, and none present leaves the prior itself.
    """

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; the prior where no modality is present."""
        logits, present = settle_decisions(logits, present)
        total = sum(logits.values())
        prior = self.param("log_prior", nn.initializers.zeros, total.shape[-1:])
        return jax.nn.log_softmax(total + (1 - present.sum(1, keepdims=True)) * prior)

    @nn.nowrap
    def fit(self, logits, present, truth):
        """The prior of the validation classes [n]; the decisions do not matter."""
        logits, present, truth = settle_validation(logits, present, truth)
        return {"log_prior": np.float32(log_prior(truth, next(iter(logits.values())).shape[-1]))}


def log_prior(truth: np.ndarray, classes: int) -> np.ndarray:
    """Log of (n_k + 1) / (n + K), n_k how often class k is the truth; [K], finite for a class that is never."""
    return np.log((np.bincount(truth, minlength=classes) + 1) / (len(truth) + classes))
