"""Encoders that read a sequence step by step."""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder
from mmjax.encoders.steps import SEQUENTIAL, steps, token_embedding
from mmjax.layers import recurrent
from mmjax.layers.dropout import Dropout
from mmjax.types import Array, Encoded, Features


class Recurrent(Encoder):
    """Abstract: `encoder_layers` layers of `width` units over steps or embedded tokens, a stage each.

    h is the state after the last valid step; reading both ways, that and the backward state after the
    first step, 2 `width` in all. What stands in padded steps changes nothing.

    Attributes:
      layer: the class of a layer in one direction.
    """

    accepts = SEQUENTIAL
    layer: ClassVar[type[nn.Module]]

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    bidirectional: bool = DEFAULTS.bidirectional
    token_size: int = DEFAULTS.token_size
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        self.embedding = token_embedding(self.spec, self.token_size)
        directions = (False, True) if self.bidirectional else (False,)
        self.layers = [[self.layer(self.width, reverse) for reverse in directions] for _ in range(self.encoder_layers)]
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return steps(self.spec, self.embedding, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        states = [layer(features.values, features.mask) for layer in self.layers[index]]
        return features._replace(values=self.drop(jnp.concatenate(states, axis=-1), train))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return features.values, features.mask

    def finish(self, features: Features, train: bool) -> Encoded:
        # Padding holds the states, so each direction's last one stands at its end of the array.
        forward, backward = features.values[:, -1, : self.width], features.values[:, 0, self.width :]
        return Encoded(*self.tokens(features), jnp.concatenate([forward, backward], axis=-1))


class Lstm(Recurrent):
    """Long short-term memory, `mmjax.layers.recurrent.Lstm`."""

    layer = recurrent.Lstm


class Gru(Recurrent):
    """Gated recurrent unit, `mmjax.layers.recurrent.Gru`."""

    layer = recurrent.Gru
