"""Any target as decisions between classes, which are all that a rule knows."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp

from mmjax.types import Array, TargetSpec


def decide(target: TargetSpec, rule: Callable, logits: Mapping[str, Array], present: Mapping[str, Array]) -> Array:
    """D [B, K] of the modalities' logits [B, K] by `rule(logits, present)`.

    A rule knows decisions between classes alone, [N, C >= 2]: a yes or no with log-odds l is one between the logits
    (-l / 2, l / 2), of which neither is the measure of the other, and K labels of B examples are N = B K of them.
    Regression hands over the values.
    """
    if target.kind == "regression":
        return rule(logits, present)
    return lower(target, rule({n: lift(target, l) for n, l in logits.items()}, present_rows(target, present)))


def lift(target: TargetSpec, logits: Array) -> Array:
    """Logits [B, K] between classes, [N, C]."""
    if target.kind == "multiclass":
        return logits
    column = logits.reshape(-1, 1)
    return jnp.concatenate([-column, column], axis=-1) / 2


def lower(target: TargetSpec, log_probabilities: Array) -> Array:
    """The inverse of `lift`: log-odds again, [B, K]."""
    if target.kind == "multiclass":
        return log_probabilities
    return (log_probabilities[:, 1] - log_probabilities[:, 0]).reshape(-1, target.size)


def present_rows(target: TargetSpec, present: Mapping[str, Array]) -> dict[str, Array]:
    """Presence [B] of each modality as that of its decisions, [N]."""
    return {n: jnp.repeat(p, target.size) if target.kind == "multilabel" else p for n, p in present.items()}
