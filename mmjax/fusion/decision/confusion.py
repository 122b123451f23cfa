"""What the modalities' decisions say, as their confusions on validation have it."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from mmjax.fusion.decision.product import log_prior
from mmjax.fusion.decision.rule import Rule, settle_decisions, settle_validation


class Confusion(Rule):
    """p_k proportional to prior_k prod_i P_i(yhat_i | k), yhat_i the most likely class of each modality present.

    P_i(y | k) = (n_i[k, y] + 1) / (n_i[k] + K), from the validation rows in which modality i is present: n_i[k] are of
    class k, and n_i[k, y] of these decided as y. The prior is that of `log_prior`. Until it is fitted all are
    uniform, and so is p.

    References:
      Xu, Krzyzak and Suen, Methods of Combining Multiple Classifiers, IEEE Transactions on Systems, Man, and
      Cybernetics 22(3), 1992; the counts smoothed by Laplace's rule of succession.
    """

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; the prior where no modality is present."""
        logits, present = settle_decisions(logits, present)
        classes = next(iter(logits.values())).shape[-1]
        total = self.param("log_prior", nn.initializers.zeros, (classes,))
        tables = self.param("log_confusion", nn.initializers.zeros, (len(logits), classes, classes))
        for i, l in enumerate(logits.values()):
            total += jnp.where(present[:, i, None], tables[i].T[l.argmax(-1)], 0)
        return jax.nn.log_softmax(total)

    @nn.nowrap
    def fit(self, logits, present, truth):
        """The prior and the confusions of validation decisions [n, K], their presence and classes [n]."""
        logits, present, truth = settle_validation(logits, present, truth)
        classes = next(iter(logits.values())).shape[-1]
        tables = []
        for name in sorted(logits):
            decided = logits[name][present[name]].argmax(-1)
            pairs = np.bincount(truth[present[name]] * classes + decided, minlength=classes**2)
            counts = pairs.reshape(classes, classes) + 1
            tables.append(np.log(counts / counts.sum(1, keepdims=True)))
        return {"log_prior": np.float32(log_prior(truth, classes)), "log_confusion": np.float32(tables)}
