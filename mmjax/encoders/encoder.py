"""What every encoder f_i is: a sequence of stages, so that model-level fusion can sit between them."""

from __future__ import annotations

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp

from mmjax.errors import InputError
from mmjax.types import Array, Encoded, Features, ModalitySpec


class Encoder(nn.Module):
    """Base of the encoders, which define

      stages: how many there are, at least 1.
      start(inputs, length, valid) -> Features: the raw input in the form that stage 0 takes.
      stage(index, features, train) -> Features.
      tokens(features) -> H [B, T, d] and its mask [B, T], of the last stage's features; it has no parameters.
      finish(features, train) -> Encoded: the tokens, and the pooled h with parameters of its own if it needs any.

    Activations have the dtype of inputs and parameters: cast both for another precision.
    Rows that are not valid give finite values that depend on no input.

    Attributes:
      accepts: the kinds of modality it reads.
      whole_batch: whether it reads a batch as a whole, by its statistics.
      registered: its name in the registry, where that is not the class's in lower case.
      spec: the modality.
      axis_name: device axis that splits the batch, or None.
    """

    accepts: ClassVar[frozenset[str]] = frozenset()
    whole_batch: ClassVar[bool] = False
    registered: ClassVar[str] = ""

    spec: ModalitySpec
    axis_name: str | None = None

    def __post_init__(self):
        kind = self.spec.kind
        if kind not in self.accepts:
            able = sorted(_name(encoder) for encoder in _final(Encoder) if kind in encoder.accepts)
            raise InputError(
                f"encoder {_name(type(self))!r} does not read modality {self.spec.name!r} of kind {kind!r}: "
                f"it reads {', '.join(sorted(self.accepts))}; choose {', '.join(able)} in config.encoders"
            )
        super().__post_init__()

    def __call__(self, inputs: Array, length: Array | None, valid: Array, train: bool) -> Encoded:
        """All stages, one after the other.

        Args:
          inputs: [B, *spec.shape].
          length: [B] valid steps of each example; None where all are.
          valid: [B] bool, False for rows that only fill the batch up or lack the modality.
          train: whether dropout and batch statistics are at work.
        """
        features = self.start(inputs, length, valid)
        for index in range(self.stages):
            features = self.stage(index, features, train)
        return self.finish(features, train)


def _name(encoder: type[Encoder]) -> str:
    return encoder.registered or encoder.__name__.lower()


def _final(base: type[Encoder]) -> list[type[Encoder]]:
    """The encoders that none is derived from: one derived from is abstract."""
    derived = base.__subclasses__()
    return [encoder for below in derived for encoder in _final(below)] if derived else [base]


def cleaned(spec: ModalitySpec, inputs: Array, length: Array | None, valid: Array) -> Features:
    """The inputs with zeros for all that is not data: padded steps and rows that are not valid.

    Whatever stood there, NaN included, reaches no later step.

    Returns:
      Features of values [B, *shape], and of a mask [B, T] where the modality has a length.
    """
    if not spec.has_length:
        return Features(kept(inputs, valid), None, valid)
    steps = jnp.arange(inputs.shape[1])
    mask = valid[:, None] & (steps < (inputs.shape[1] if length is None else length[:, None]))
    return Features(kept(inputs, mask), mask, valid)


def kept(values: Array, keep: Array) -> Array:
    """`values`, zero where `keep`, bool over the leading axes, is False."""
    return jnp.where(keep.reshape(keep.shape + (1,) * (values.ndim - keep.ndim)), values, 0)
