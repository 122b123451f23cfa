"""Examples that are there twice: alike to the last bit, in one modality or in all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from mmjax.types import Batch

ABSENT = b""  # the key of what is not there


def keys_of(batch: Batch, name: str) -> list[bytes]:
    """A key for each example's modality: equal where its values are, ABSENT where it is absent."""
    values = np.ascontiguousarray(batch.inputs[name]).reshape(batch.size, -1)
    lengths = batch.lengths[name].tolist() if name in batch.lengths else [0] * batch.size
    present = batch.present[name].tolist()
    return [
        hashlib.blake2b(row, digest_size=16, salt=b"%d" % length).digest() if there else ABSENT
        for row, length, there in zip(values, lengths, present, strict=True)
    ]


def repeated(keys: Sequence[bytes]) -> float:
    """Share of examples, of those that have the modality, that an earlier one is alike to."""
    there = [key for key in keys if key != ABSENT]
    return 1 - len(set(there)) / len(there) if there else 0.0


def shared(keys: Sequence[bytes], train: Sequence[bytes]) -> float:
    """Share of examples, of those that have the modality, that are in train too."""
    known, there = set(train), [key for key in keys if key != ABSENT]
    return sum(key in known for key in there) / max(len(there), 1)


def contradicted(keys: Sequence[bytes], target: np.ndarray, train: Sequence[bytes], truth: np.ndarray) -> float:
    """Share of examples of which train has another target for the same inputs.

    Args:
      keys, target: of the examples.
      train, truth: keys and target of train.
    """
    told = {}
    for key, value in zip(train, truth.tolist(), strict=True):
        told.setdefault(key, []).append(value)
    others = [any(other != value for other in told.get(key, ())) for key, value in zip(keys, target.tolist())]
    return sum(others) / len(others)
