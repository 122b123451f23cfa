"""A rule's parameter that makes the validation decisions' truth most likely."""

from functools import partial

import jax
import numpy as np
import optax
from scipy.optimize import minimize


def most_likely(rule, name: str, start: np.ndarray, logits: dict, present: dict, truth: np.ndarray) -> dict:
    """The rule's only parameter, by name, at its least mean negative log-likelihood, by BFGS.

    Args:
      rule: a rule; one with `regression` set has its mean squared error minimised.
      name: of the parameter, a vector.
      start: where to begin.
      logits: modality -> [n, K] decisions of the rule's modalities.
      present: modality -> [n] bool.
      truth: [n] classes; [n, K] values for regression.
    """

    def loss(vector):
        value, gradient = _loss(rule, {name: np.float32(vector)}, logits, present, truth)
        return float(value), np.float64(gradient[name])

    return {name: np.float32(minimize(loss, start, jac=True).x)}


# One program for all seeds of a task: a rule is known by its fields, not by its place in memory.
@partial(jax.jit, static_argnums=0, compiler_options={"xla_backend_optimization_level": 0})
@partial(jax.value_and_grad, argnums=1)
def _loss(rule, params, logits, present, truth):
    fused = rule.apply({"params": params}, logits, present)
    if getattr(rule, "regression", False):
        return optax.squared_error(fused, truth).mean()
    return optax.softmax_cross_entropy_with_integer_labels(fused, truth).mean()
