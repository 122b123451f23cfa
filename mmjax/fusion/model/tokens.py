"""What fusions on sequences share: their sizes, tokens of one width, and learned ones beside them."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import require_masks
from mmjax.layers.attention import ParallelBlocks, Tokens, TransformerBlock
from mmjax.types import Array


class Attending(nn.Module):
    """Base of the fusions whose sequences attend to each other, `g(sequences, masks, train=False) -> F`.

    Attributes:
      width: d of every token.
      heads: of every attention, a divisor of `width`.
      dropout: rate on what a block's parts add.
      axis_name: device axis that splits the batch, or None.
    """

    width: int = DEFAULTS.width
    heads: int = DEFAULTS.heads
    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None
    joins = "sequences"
    heads_per_modality = False

    def block(self, name: str) -> TransformerBlock:
        """A block of `width`."""
        return TransformerBlock(self.width, self.heads, self.dropout, self.axis_name, name=name)

    def blocks(self, name: str, width: int | None = None, optional: bool = False) -> ParallelBlocks:
        """Blocks side by side, of `width` unless told otherwise."""
        return ParallelBlocks(width or self.width, self.heads, self.dropout, self.axis_name, optional, name=name)


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

    Raises:
      InputError: as `require_masks`.
    """
    require_masks(sequences, masks)
    tokens = {}
    for name in sorted(sequences):
        valid = jnp.where(masks[name][:, :, None], sequences[name], 0)
        tokens[name] = Tokens(nn.Dense(width, name=f"project_{name}")(valid), masks[name])
    return tokens


def learned_tokens(module: nn.Module, name: str, count: int, width: int, rows: int) -> Tokens:
    """`count` vectors that are parameters of `module`, the same for each of `rows` examples."""
    initial = module.param(name, nn.initializers.normal(0.02), (count, width))
    return Tokens(jnp.broadcast_to(initial, (rows, count, width)), jnp.ones((rows, count), bool))
