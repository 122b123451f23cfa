"""Decision rules over models that were trained one by one: fitted on validation, in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.optimize import minimize

from mmjax.config import Config
from mmjax.fusion import DECISION
from mmjax.model import decide
from mmjax.registry import build
from mmjax.training.losses import task_loss
from mmjax.types import Task


def combine_decisions(
    task: Task, fusion: str, config: Config, unimodal: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Fused logits of each split from the modalities' own.

    The rule's parameters, if it has any, minimise the negative log-likelihood (regression: the squared error) of the
    validation split, by BFGS from the rule's start.

    Args:
      fusion: a decision-level rule that is not trained through.
      unimodal: modality -> split ("validation", "test") -> logits [n, K].

    Returns:
      split -> logits [n, K].
    """
    rule = build(DECISION, "fusion", fusion, config, regression=task.target.kind == "regression")
    decisions = {
        split: {name: jnp.asarray(unimodal[name][split]) for name in sorted(unimodal)}
        for split in ("validation", "test")
    }
    present = {split: {name: jnp.asarray(task.splits[split].present[name]) for name in unimodal} for split in decisions}
    truth = jnp.asarray(task.splits["validation"].target)
    start = rule.init(jax.random.key(0), decisions["validation"]).get("params", {})
    vector, unravel = ravel_pytree(start)

    @partial(jax.jit, static_argnums=1)
    def fused(vector, split):
        bound = partial(rule.apply, {"params": unravel(vector)})
        return decide(task.target, bound, decisions[split], present[split])

    @jax.jit
    @jax.value_and_grad
    def loss(vector):
        return task_loss(task.target, fused(vector, "validation"), truth).mean()

    if vector.size:
        vector = jnp.float32(minimize(lambda v: tuple(map(np.float64, loss(jnp.float32(v)))), vector, jac=True).x)
    return {split: np.asarray(fused(vector, split)) for split in decisions}
