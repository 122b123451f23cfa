"""Where bfloat16 ends: what is normalised, multiplied up or compared needs more than its eight bits."""

import jax.numpy as jnp

from mmjax.types import Array


def at_least_float32(values: Array) -> Array:
    """Floating values in float32, or in the higher precision that they have."""
    values = jnp.asarray(values)
    return values.astype(jnp.promote_types(values.dtype, jnp.float32))
