"""Heads that a training strategy needs and a model has not: thrown away when training ends."""

import flax.linen as nn

from mmjax.decoders.dense import Dense
from mmjax.types import Array


class ThrowawayHeads(nn.Module):
    """A dense head on every embedding it is called with.

    Attributes:
      outputs: K.
    """

    outputs: int

    @nn.compact
    def __call__(self, embeddings: dict[str, Array]) -> dict[str, Array]:
        """Embeddings, key -> [B, d], to logits, key -> [B, K]."""
        return {key: Dense(self.outputs, name=key)(h, False) for key, h in sorted(embeddings.items())}
