"""Encoders that read a sequence step by step.

Both have `encoder_layers` layers of `width` units over steps or embedded tokens, a stage each. Their
h is the state after the last valid step; reading both ways, that and the backward state after the
first step, 2 `width` in all. What stands in padded steps changes nothing.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder, cleaned
from mmjax.layers import recurrent
from mmjax.layers.dropout import Dropout
from mmjax.types import Array, Encoded, Features

SEQUENTIAL = frozenset({"tokens", "sequence"})


class Lstm(Encoder):
    """Long short-term memory, `mmjax.layers.recurrent.Lstm`."""

    accepts = SEQUENTIAL

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    bidirectional: bool = DEFAULTS.bidirectional
    token_size: int = DEFAULTS.token_size
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        self.embedding, self.layers, self.drop = _parts(self, recurrent.Lstm)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return _embedded(self.embedding, cleaned(self.spec, inputs, length, valid))

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return _read(self.layers[index], self.drop, features, train)

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return features.values, features.mask

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), _ends(features.values, self.bidirectional))


class Gru(Encoder):
    """Gated recurrent unit, `mmjax.layers.recurrent.Gru`."""

    accepts = SEQUENTIAL

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    bidirectional: bool = DEFAULTS.bidirectional
    token_size: int = DEFAULTS.token_size
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        self.embedding, self.layers, self.drop = _parts(self, recurrent.Gru)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return _embedded(self.embedding, cleaned(self.spec, inputs, length, valid))

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return _read(self.layers[index], self.drop, features, train)

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return features.values, features.mask

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), _ends(features.values, self.bidirectional))


def _parts(encoder: Lstm | Gru, layer: type[nn.Module]):
    """The embedding (None unless tokens), the directions of each layer, and the dropout."""
    embedding = None
    if encoder.spec.kind == "tokens":
        embedding = nn.Embed(encoder.spec.vocabulary, encoder.token_size, embedding_init=_keras_uniform)
    directions = (False, True) if encoder.bidirectional else (False,)
    layers = [[layer(encoder.width, reverse) for reverse in directions] for _ in range(encoder.encoder_layers)]
    return embedding, layers, Dropout(encoder.dropout, encoder.axis_name)


def _keras_uniform(key: Array, shape: tuple[int, ...], dtype) -> Array:
    """Uniform in (-0.05, 0.05), as Keras's Embedding begins."""
    return jax.random.uniform(key, shape, dtype, -0.05, 0.05)


def _embedded(embedding: nn.Embed | None, features: Features) -> Features:
    return features if embedding is None else features._replace(values=embedding(features.values))


def _read(directions: list[nn.Module], drop: Dropout, features: Features, train: bool) -> Features:
    """One layer, its directions side by side."""
    states = jnp.concatenate([layer(features.values, features.mask) for layer in directions], axis=-1)
    return features._replace(values=drop(states, train))


def _ends(states: Array, bidirectional: bool) -> Array:
    """Padding holds the states, so each direction's last one stands at its end of the array."""
    if not bidirectional:
        return states[:, -1]
    half = states.shape[-1] // 2
    return jnp.concatenate([states[:, -1, :half], states[:, 0, half:]], axis=-1)
