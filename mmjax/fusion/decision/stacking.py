"""A classifier on the modalities' decisions."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import log_softmax

from mmjax.fusion.decision.rule import Rule, settle_decisions, settle_validation

ITERATIONS = 1000  # at most; scikit-learn warns where they are not enough


class Stacking(Rule):
    """p = softmax(sum_i W_i' log p_i + b), a multinomial logistic regression on [log p_1; ...; log p_M].

    An absent modality is as a flat one, log p_i = -log K. W_i = 1 and b = 0, the start, are `Product`. W and b are
    scikit-learn's, of validation decisions, with its L2 penalty at C = 1 on W. A class that validation never has
    gets W = 0 and b = -log(n + K): the other classes' logits have mean about 0, so its probability is at most about
    1 / (n + K), the rule of succession's for what n examples never were.

    References:
      Wolpert, Stacked Generalization, Neural Networks 5(2), 1992.
    """

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; softmax of what flat decisions give where none is present."""
        logits, _ = settle_decisions(logits, present)
        log_p = jax.nn.log_softmax(jnp.stack(list(logits.values()), axis=1))
        _, modalities, classes = log_p.shape
        kernel = self.param("kernel", _identities, (modalities, classes, classes))
        bias = self.param("bias", nn.initializers.zeros, (classes,))
        return jax.nn.log_softmax(jnp.einsum("bmj,mjk->bk", log_p, kernel) + bias)

    @nn.nowrap
    def fit(self, logits, present, truth):
        """The regression of classes [n] on validation decisions [n, K] with their presence."""
        logits, present, truth = settle_validation(logits, present, truth)
        from sklearn.linear_model import LogisticRegression  # slow to import, and needed here alone

        names = sorted(logits)
        flat_where_absent = [np.where(present[n][:, None], logits[n], 0).astype(np.float64) for n in names]
        features = np.concatenate([log_softmax(l, axis=1) for l in flat_where_absent], axis=1)
        size, classes, seen = len(truth), logits[names[0]].shape[1], np.unique(truth)
        kernel, bias = np.zeros((len(names) * classes, classes)), np.full(classes, -np.log(size + classes))
        if len(seen) == 1:
            bias[seen] = 0
        else:
            model = LogisticRegression(solver="newton-cg", max_iter=ITERATIONS).fit(features, truth)
            coefficients, intercepts = model.coef_, model.intercept_
            if len(seen) == 2:  # scikit-learn gives the log-odds of the second alone
                coefficients, intercepts = (np.concatenate([-x, x]) / 2 for x in (coefficients, intercepts))
            kernel[:, seen], bias[seen] = coefficients.T, intercepts
        return {"kernel": np.float32(kernel.reshape(-1, classes, classes)), "bias": np.float32(bias)}


def _identities(key, shape, dtype=jnp.float32):
    return jnp.broadcast_to(jnp.eye(shape[-1], dtype=dtype), shape)
