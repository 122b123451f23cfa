"""Between the unit of a target's values and the one that models learn in (`mmjax.types.ValueScale`).

Truths and logits of anything but a regression are handed on as they are.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from mmjax.types import Array, TargetSpec

MARGIN = 1.0  # deviations beyond train's least and greatest logarithm, at which a prediction is held
LOGARITHMS = (-87.0, 88.0)  # between which exponentials are neither 0 nor infinite in float32


def to_learned(target: TargetSpec, values: Array) -> Array:
    """Values [B, K] in the unit that models learn in; those without a logarithm as the least that is predicted."""
    if not target.scales:
        return values
    logs, offsets, scales, lowest, _ = _columns(target)
    positive = jnp.maximum(values, np.exp(np.where(logs, offsets + scales * lowest, 0)))
    logarithms = jnp.log(jnp.where(logs, positive, 1))
    return (jnp.where(logs, logarithms, values) - offsets) / scales


def to_own(target: TargetSpec, outputs: Array) -> Array:
    """A model's outputs [..., K] in the target's own unit.

    Exponentials are held within MARGIN deviations of what train has: one output that is far off would outweigh all
    others' errors, or be infinite.
    """
    if not target.scales:
        return outputs
    logs, offsets, scales, lowest, highest = _columns(target)
    values = offsets + scales * jnp.where(logs, jnp.clip(outputs, lowest, highest), outputs)
    return jnp.where(logs, jnp.exp(jnp.where(logs, values, 0)), values)


def _columns(target: TargetSpec) -> tuple[np.ndarray, ...]:
    """[K] of each: whether it is learned as a logarithm, offset, scale, and the least and greatest output if it is."""
    logs = np.array([each.kind == "log" for each in target.scales])
    numbers = np.float64([(each.offset, each.scale, each.lowest, each.highest) for each in target.scales])
    offsets, scales, lowest, highest = numbers.T
    least, greatest = ((end - offsets) / scales for end in LOGARITHMS)
    bounds = np.maximum(lowest - MARGIN, least), np.minimum(highest + MARGIN, greatest)
    return logs, *map(np.float32, (offsets, scales, *bounds))
