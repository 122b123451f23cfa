"""Encoders that slide a kernel over an image, or over a sequence as an image of T rows."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder
from mmjax.encoders.maps import SPATIAL, as_image, few_tokens, require_side, shrunk
from mmjax.layers.batch_norm import BatchNorm
from mmjax.layers.convolution import Convolution
from mmjax.layers.dropout import Dropout
from mmjax.layers.flatten import flatten
from mmjax.layers.pooling import max_pool
from mmjax.types import Array, Encoded, Features

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
        require_side(self.spec, "cnn", 2 + self.cnn_pool)
        self.convolution = Convolution(self.channels, (3, 3), "VALID")
        self.dense = nn.Dense(self.width) if self.cnn_dense else None
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return as_image(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        values = nn.relu(max_pool(self.convolution(features.values), self.cnn_pool))  # relu of fewer: they commute
        return features._replace(values=values, mask=shrunk(features.mask, values.shape[1], self.cnn_pool))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return few_tokens(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        pooled = flatten(features.values)
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
    whole_batch = True

    width: int = DEFAULTS.width
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        blocks, side = 1, min(self.spec.shape[:2]) // 2
        while side // 2 >= LENET_SMALLEST:
            blocks, side = blocks + 1, side // 2
        return blocks

    def setup(self):
        require_side(self.spec, "lenet", 2)
        channels = [LENET_CHANNELS * 2**block for block in range(self.stages)]
        self.convolutions = [Convolution(c, (LENET_KERNEL, LENET_KERNEL), "SAME", use_bias=False) for c in channels]
        self.norms = [BatchNorm(self.axis_name) for _ in channels]
        self.dense = nn.Dense(self.width)
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return as_image(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        valid = features.valid if features.mask is None else features.mask
        values = self.norms[index](self.convolutions[index](features.values), valid, train)
        values = nn.relu(max_pool(values, 2))  # relu of fewer: they commute
        return features._replace(values=values, mask=shrunk(features.mask, values.shape[1], 2))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return few_tokens(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        pooled = self.dense(flatten(features.values))
        return Encoded(*self.tokens(features), self.drop(pooled, train))
