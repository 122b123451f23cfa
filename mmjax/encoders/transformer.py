"""The encoder whose steps attend to each other."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder, cleaned
from mmjax.layers.attention import TransformerBlock
from mmjax.layers.pooling import masked_mean
from mmjax.layers.position import sinusoids
from mmjax.types import Array, Encoded, Features


class Transformer(Encoder):
    """Steps embedded in `width`, plus sinusoids of their positions; `encoder_layers` blocks, a stage each.

    A step is embedded by a dense layer, a token by its row of a table, and an image by a dense layer on its
    patches, row by row (zeros fill up the last ones). The last block is followed by a norm of each step; h is the
    mean of the valid ones.

    Attributes:
      patch: side of a patch, in pixels.

    References:
      Vaswani et al., "Attention is all you need", arXiv:1706.03762, 2017, section 3; patches: Dosovitskiy et al.,
      "An image is worth 16x16 words", ICLR 2021, equation 1.
    """

    accepts = frozenset({"tokens", "sequence", "image"})

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    heads: int = DEFAULTS.heads
    dropout: float = DEFAULTS.dropout
    patch: int = DEFAULTS.patch

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        if self.spec.kind == "tokens":
            # As large as the positions, which would drown a table that starts as small as Keras's.
            self.embed = nn.Embed(self.spec.vocabulary, self.width, embedding_init=nn.initializers.normal(1.0))
        else:
            self.embed = nn.Dense(self.width)
        self.blocks = [
            TransformerBlock(self.width, self.heads, self.dropout, self.axis_name) for _ in range(self.encoder_layers)
        ]
        self.norm = nn.LayerNorm()

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        features = cleaned(self.spec, inputs, length, valid)
        steps, mask = features.values, features.mask
        if self.spec.kind == "image":
            steps = patches(steps, self.patch)
            mask = jnp.broadcast_to(valid[:, None], steps.shape[:2])
        steps = self.embed(steps)
        return Features(steps + sinusoids(*steps.shape[1:]).astype(steps.dtype), mask, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        values = self.blocks[index](features.values, features.mask, train)
        return features._replace(values=self.norm(values) if index == self.stages - 1 else values)

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return features.values, features.mask

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), masked_mean(features.values, features.mask))


def patches(images: Array, side: int) -> Array:
    """[B, height, width, C] to its patches, row by row, [B, ceil(height / side) ceil(width / side), side^2 C]."""
    B, height, width, C = images.shape
    images = jnp.pad(images, ((0, 0), (0, -height % side), (0, -width % side), (0, 0)))
    rows, columns = images.shape[1] // side, images.shape[2] // side
    grid = images.reshape(B, rows, side, columns, side, C).swapaxes(2, 3)
    return grid.reshape(B, rows * columns, side * side * C)
