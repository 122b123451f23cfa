"""What every fusion shares: the order of modalities, and what an absent one means."""

from collections.abc import Mapping

import jax.numpy as jnp

from mmjax.layers.precision import at_least_float32
from mmjax.types import Array


def settle(values: Mapping[str, Array], present: Mapping[str, Array] | None) -> tuple[dict[str, Array], Array]:
    """Values in the order of their modalities' names, zero where absent.

    The order is that of the names, so that it does not matter how the dict was built. An absent
    row is replaced, not multiplied: whatever stood there, NaN too, is gone.

    Args:
      values: modality -> [B, ...].
      present: modality -> [B] bool; None says that all are.

    Returns:
      The values, modality -> [B, ...], and presence [B, M] bool in the same order.
    """
    names = sorted(values)
    size = values[names[0]].shape[0]
    if present is None:
        present = {name: jnp.ones(size, bool) for name in names}
    settled = {}
    for name in names:
        rows = present[name].reshape((size,) + (1,) * (values[name].ndim - 1))
        settled[name] = jnp.where(rows, values[name], 0)
    return settled, jnp.stack([present[name].astype(bool) for name in names], axis=1)


def masked_softmax(scores: Array, allowed: Array) -> Array:
    """Softmax over the last axis among the allowed entries; 0 elsewhere, and where none is allowed. Done in float32.

    Args:
      scores: [..., M].
      allowed: [..., M] bool.
    """
    precise = at_least_float32(scores)
    exponents = jnp.where(allowed, precise, jnp.finfo(precise.dtype).min)
    weights = jnp.exp(exponents - exponents.max(-1, keepdims=True)) * allowed
    return (weights / jnp.maximum(weights.sum(-1, keepdims=True), jnp.finfo(precise.dtype).tiny)).astype(scores.dtype)


def mean_of_present(values: Array, present: Array) -> Array:
    """Mean over modalities, of those present; 0 where none is.

    Args:
      values: [B, M, ...], 0 where absent.
      present: [B, M] bool.
    """
    count = jnp.maximum(present.sum(1), 1).astype(values.dtype)
    return values.sum(1) / count.reshape((-1,) + (1,) * (values.ndim - 2))
