"""Parameters of a rule that make the validation decisions' truth most likely."""

from functools import partial

import jax
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize


def most_likely(rule, start: dict, logits: dict, present: dict, truth: np.ndarray) -> dict:
    """Parameters that minimise the mean negative log-likelihood, by BFGS from `start`.

    Args:
      rule: a rule; one with `regression` set has its mean squared error minimised.
      start: the tree of parameters to begin with.
      logits: modality -> [n, K] decisions of the rule's modalities.
      present: modality -> [n] bool.
      truth: [n] classes; [n, K] values for regression.
    """
    vector, unravel = ravel_pytree(start)

    def loss(vector):
        value, gradient = _loss(rule, unravel(np.float32(vector)), logits, present, truth)
        return float(value), np.float64(ravel_pytree(gradient)[0])

    return unravel(np.float32(minimize(loss, vector, jac=True).x))


# One program for all seeds of a task: a rule is known by its fields, not by its place in memory.
@partial(jax.jit, static_argnums=0)
@partial(jax.value_and_grad, argnums=1)
def _loss(rule, params, logits, present, truth):
    fused = rule.apply({"params": params}, logits, present)
    if getattr(rule, "regression", False):
        return optax.squared_error(fused, truth).mean()
    return optax.softmax_cross_entropy_with_integer_labels(fused, truth).mean()
