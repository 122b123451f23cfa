"""What fusions on sequences share: tokens of one width, and learned ones beside them."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp

from mmjax.layers.attention import Tokens
from mmjax.types import Array


def project(sequences: Mapping[str, Array], masks: Mapping[str, Array], width: int) -> dict[str, Tokens]:
    """W_i H_i + e_i of every modality, in the order of their names; called by a compact module.

    Whatever stood in a step that is not valid, NaN too, is gone. The bias e_i is the modality's embedding: it tells
    its tokens from another's where they meet.

    Args:
      sequences: modality -> [B, T_i, d_i].
      masks: modality -> [B, T_i] bool.
      width: d.

    Returns:
      modality -> tokens [B, T_i, width].
    """
    tokens = {}
    for name in sorted(sequences):
        valid = jnp.where(masks[name][:, :, None], sequences[name], 0)
        tokens[name] = Tokens(nn.Dense(width, name=f"project_{name}")(valid), masks[name])
    return tokens


def learned_tokens(module: nn.Module, name: str, count: int, width: int, rows: int) -> Tokens:
    """`count` vectors that are parameters of `module`, the same for each of `rows` examples."""
    initial = module.param(name, nn.initializers.normal(0.02), (count, width))
    return Tokens(jnp.broadcast_to(initial, (rows, count, width)), jnp.ones((rows, count), bool))
