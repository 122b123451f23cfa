"""Encoders that read an example as one vector."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder, cleaned
from mmjax.layers.dropout import Dropout
from mmjax.layers.flatten import flatten
from mmjax.types import Array, Encoded, Features, ModalitySpec

NUMERIC = frozenset({"vector", "image", "sequence", "video", "waveform"})  # `points` have no order to flatten by


class Identity(Encoder):
    """h = x, flattened; padded steps are zero. It has no parameters."""

    accepts = NUMERIC
    stages = 1

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return _flattened(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return features

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return _one_step(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), features.values)


class Linear(Encoder):
    """h = W x + b, of x flattened."""

    accepts = NUMERIC
    stages = 1

    width: int = DEFAULTS.width

    def setup(self):
        self.dense = nn.Dense(self.width)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return _flattened(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return features._replace(values=self.dense(features.values))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return _one_step(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), features.values)


class Mlp(Encoder):
    """`encoder_layers` times relu(W x + b) and dropout, of x flattened; a stage each."""

    accepts = NUMERIC

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        self.dense = [nn.Dense(self.width) for _ in range(self.encoder_layers)]
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return _flattened(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return features._replace(values=self.drop(nn.relu(self.dense[index](features.values)), train))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return _one_step(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), features.values)


def _flattened(spec: ModalitySpec, inputs: Array, length: Array | None, valid: Array) -> Features:
    """Cleaned inputs as [B, features], which have no steps to mask."""
    features = cleaned(spec, inputs, length, valid)
    return features._replace(values=flatten(features.values), mask=None)


def _one_step(features: Features) -> tuple[Array, Array]:
    """A vector as a sequence of one, and its mask."""
    return features.values[:, None], features.valid[:, None]
