"""Encoders that slide a kernel over an image, or over a sequence as an image of T rows."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder, cleaned
from mmjax.errors import InputError
from mmjax.layers.batch_norm import BatchNorm
from mmjax.layers.convolution import Convolution
from mmjax.layers.dropout import Dropout
from mmjax.layers.pooling import average_pool, max_pool
from mmjax.types import Array, Encoded, Features, ModalitySpec

SPATIAL = frozenset({"image", "sequence"})
TOKENS_A_SIDE = 7  # the map is averaged to at most 7 x 7 tokens where attention reads it
LENET_KERNEL = 5
LENET_CHANNELS = 6  # of the first block; each later one doubles them
LENET_SMALLEST = 3  # pixels a side that the last block leaves, at least


class Cnn(Encoder):
    """relu(3 x 3 convolution), a max-pool, and a dense layer with relu; the convolution is the stage.

    With `cnn_pool` 1 and `cnn_dense` False it is Keras's Conv2D(channels, 3, activation="relu") and
    Flatten, and h the map itself.
    """

    accepts = SPATIAL
    stages = 1

    channels: int = DEFAULTS.channels
    cnn_pool: int = DEFAULTS.cnn_pool
    cnn_dense: bool = DEFAULTS.cnn_dense
    width: int = DEFAULTS.width
    dropout: float = DEFAULTS.dropout

    def setup(self):
        _require_side(self.spec, "cnn", 2 + self.cnn_pool)
        self.convolution = Convolution(self.channels, (3, 3), "VALID")
        self.dense = nn.Dense(self.width) if self.cnn_dense else None
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return _as_image(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        values = nn.relu(max_pool(self.convolution(features.values), self.cnn_pool))  # relu of fewer: they commute
        return features._replace(values=values, mask=_shrunk(features.mask, values.shape[1], self.cnn_pool))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return _few_tokens(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        pooled = features.values.reshape(len(features.values), -1)
        if self.dense is not None:
            pooled = nn.relu(self.dense(pooled))
        return Encoded(*self.tokens(features), self.drop(pooled, train))


class LeNet(Encoder):
    """Blocks of 5 x 5 convolution, batch normalisation, relu and 2 x 2 max-pool, a stage each; then a dense layer.

    Channels double from 6, block by block, until another would leave fewer than 3 pixels a side: 3
    blocks on 28 x 28 and 5 on 112 x 112, as MultiBench has them for AV-MNIST.

    References:
      Liang et al., "MultiBench", NeurIPS Datasets and Benchmarks 2021, its LeNet of AV-MNIST.
    """

    accepts = SPATIAL

    width: int = DEFAULTS.width
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        blocks, side = 1, min(self.spec.shape[:2]) // 2
        while side // 2 >= LENET_SMALLEST:
            blocks, side = blocks + 1, side // 2
        return blocks

    def setup(self):
        _require_side(self.spec, "lenet", 2)
        channels = [LENET_CHANNELS * 2**block for block in range(self.stages)]
        self.convolutions = [Convolution(c, (LENET_KERNEL, LENET_KERNEL), "SAME", use_bias=False) for c in channels]
        self.norms = [BatchNorm(self.axis_name) for _ in channels]
        self.dense = nn.Dense(self.width)
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return _as_image(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        valid = features.valid if features.mask is None else features.mask
        values = self.norms[index](self.convolutions[index](features.values), valid, train)
        values = nn.relu(max_pool(values, 2))  # relu of fewer: they commute
        return features._replace(values=values, mask=_shrunk(features.mask, values.shape[1], 2))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return _few_tokens(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        pooled = self.dense(features.values.reshape(len(features.values), -1))
        return Encoded(*self.tokens(features), self.drop(pooled, train))


def _require_side(spec: ModalitySpec, encoder: str, least: int):
    if min(spec.shape[:2]) < least:
        raise InputError(
            f"encoder {encoder!r} does not read modality {spec.name!r} of shape {spec.shape}: "
            f"it needs at least {least} x {least}; choose mlp in config.encoders"
        )


def _as_image(spec: ModalitySpec, inputs: Array, length: Array | None, valid: Array) -> Features:
    """Cleaned inputs; a sequence becomes an image of T rows, its features the columns, of one channel."""
    features = cleaned(spec, inputs, length, valid)
    return features if spec.kind == "image" else features._replace(values=features.values[..., None])


def _shrunk(mask: Array | None, rows: int, window: int) -> Array | None:
    """The mask of the rows that are left, each valid if the first of those it was made of is."""
    return None if mask is None else mask[:, : rows * window : window]


def _few_tokens(features: Features) -> tuple[Array, Array]:
    """The map averaged to few enough tokens, row by row, and their mask."""
    values = features.values
    height, width = (-(-side // TOKENS_A_SIDE) for side in values.shape[1:3])
    tokens = average_pool(values, height, width)
    B, rows, columns, d = tokens.shape
    mask = features.valid[:, None] if features.mask is None else _shrunk(features.mask, rows, height)
    mask = jnp.broadcast_to(mask[:, :, None], (B, rows, columns))
    return tokens.reshape(B, rows * columns, d), mask.reshape(B, rows * columns)
