"""The softmax that does not lose what bfloat16 would lose: its sums are of float32."""

import jax
import jax.numpy as jnp

from mmjax.types import Array


def softmax(scores: Array) -> Array:
    """Over the last axis, in the dtype of the scores, computed in float32 or better."""
    precise = scores.astype(jnp.promote_types(scores.dtype, jnp.float32))
    return jax.nn.softmax(precise, axis=-1).astype(scores.dtype)
