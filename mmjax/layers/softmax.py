"""The softmax that does not lose what bfloat16 would lose: its sums are of float32."""

import jax

from mmjax.layers.precision import at_least_float32
from mmjax.types import Array


def softmax(scores: Array) -> Array:
    """Over the last axis, in the dtype of the scores, computed in float32 or better."""
    return jax.nn.softmax(at_least_float32(scores), axis=-1).astype(scores.dtype)
