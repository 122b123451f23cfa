"""What the encoders of sequences share: tokens become the steps of one."""

import flax.linen as nn
import jax

from mmjax.encoders.encoder import cleaned
from mmjax.types import Array, Features, ModalitySpec

SEQUENTIAL = frozenset({"tokens", "sequence"})


def token_embedding(spec: ModalitySpec, size: int) -> nn.Embed | None:
    """The table of a vocabulary, [ids, size], for `steps`; None where the modality has none."""
    if spec.kind != "tokens":
        return None
    return nn.Embed(spec.vocabulary, size, embedding_init=_keras_uniform)


def steps(
    spec: ModalitySpec, embedding: nn.Embed | None, inputs: Array, length: Array | None, valid: Array
) -> Features:
    """Cleaned inputs, tokens looked up: [B, T, d] and its mask."""
    features = cleaned(spec, inputs, length, valid)
    return features if embedding is None else features._replace(values=embedding(features.values))


def _keras_uniform(key: Array, shape: tuple[int, ...], dtype) -> Array:
    """Uniform in (-0.05, 0.05), as Keras's Embedding begins."""
    return jax.random.uniform(key, shape, dtype, -0.05, 0.05)
