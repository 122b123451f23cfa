"""What every fusion shares: the order of modalities, and what an absent one means."""

from collections.abc import Mapping

import jax.numpy as jnp

from mmjax.errors import InputError
from mmjax.layers.precision import at_least_float32
from mmjax.types import Array


def settle(values: Mapping[str, Array], present: Mapping[str, Array] | None) -> tuple[dict[str, Array], Array]:
    """Values in the order of their modalities' names, zero where absent.

    The order is that of the names, so that it does not matter how the dict was built. An absent
    row is replaced, not multiplied: whatever stood there, NaN too, is gone.

    Args:
      values: modality -> [B, ...].
      present: modality -> [B] bool; None says that all are. Other modalities than those of `values` have no part in it.

    Returns:
      The values, modality -> [B, ...], and presence [B, M] bool in the same order.

    Raises:
      InputError: without any values, or for ones of different numbers of examples; for a modality that `present`
        lacks, or has for another number of examples.
    """
    require_each("present", present, values)
    names = sorted(values)
    size = values[names[0]].shape[0]
    for name in names:
        if values[name].shape[0] != size:
            raise InputError(f"{name} has {values[name].shape[0]} examples and {names[0]} {size}: give all as many")
    present = {name: jnp.ones(size, bool) if present is None else jnp.asarray(present[name], bool) for name in names}
    settled = {}
    for name in names:
        if present[name].shape != (size,):
            raise InputError(
                f"present[{name!r}] has shape {present[name].shape}: give ({size},), one truth value an example"
            )
        rows = present[name].reshape((size,) + (1,) * (values[name].ndim - 1))
        settled[name] = jnp.where(rows, values[name], 0)
    return settled, jnp.stack(list(present.values()), axis=1)


def require_each(what: str, given: Mapping[str, Array] | None, values: Mapping[str, Array]) -> None:
    """Refuses what is given beside values, modality -> [B, ...], if it lacks one of them; None lacks none.

    Raises:
      InputError: naming `what`, and what is missing; and if there are no values.
    """
    if not values:
        raise InputError("a fusion was given no modality: give one or more")
    missing = [] if given is None else sorted(set(values) - set(given))
    if missing:
        raise InputError(f"{what} lacks {', '.join(missing)}: give it for all of {', '.join(sorted(values))}")


def require_masks(sequences: Mapping[str, Array], masks: Mapping[str, Array]) -> None:
    """Refuses masks that do not fit their sequences, modality -> [B, T_i, d_i].

    Raises:
      InputError: for no sequence at all, one without a mask, or a mask of another shape than [B, T_i].
    """
    require_each("masks", masks, sequences)
    for name in sorted(sequences):
        if jnp.shape(masks[name]) != sequences[name].shape[:2]:
            raise InputError(
                f"masks[{name!r}] has shape {jnp.shape(masks[name])}: give {sequences[name].shape[:2]}, one truth "
                "value a step"
            )


def require_several(fusion: str, values: Mapping[str, Array]) -> None:
    """Refuses less than two modalities, of which a fusion that joins them pair by pair makes nothing.

    Raises:
      InputError: naming the fusion and what it was given.
    """
    if len(values) < 2:
        given = ", ".join(sorted(values)) or "none"
        raise InputError(f"fusion {fusion} joins modalities pair by pair, and was given {given}: give two or more")


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
