"""What symbols tell of a class: mutual information and the accuracy of the best rule, exactly, from a joint table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np


def mutual_information(table: np.ndarray, seen: Sequence[int]) -> float:
    """I(Y; Z_S) in bits.

    Args:
      table: p(y, z_1, ..., z_M), see `latents`.
      seen: S, places of modalities from 0.
    """
    joint = _of(table, seen)
    labels, symbols = np.broadcast_arrays(joint.sum(axis=1, keepdims=True), joint.sum(axis=0, keepdims=True))
    there = joint > 0
    gain = np.log2(joint[there]) - np.log2(labels[there]) - np.log2(symbols[there])
    return float(np.sum(joint[there] * gain))


def bayes_accuracy(table: np.ndarray, seen: Sequence[int], judged: np.ndarray | None = None) -> float:
    """Accuracy of the rule that is best on a table and sees Z_S: sum over z of p(y*(z), z).

    Args:
      table: on which the rule is best.
      seen: S, places of modalities from 0.
      judged: the table that it is judged on; the same where None. Where the rule is indifferent it guesses evenly.
    """
    rule, truth = _of(table, seen), _of(table if judged is None else judged, seen)
    best = np.isclose(rule, rule.max(axis=0), rtol=1e-9, atol=0)
    return float(np.sum(best * truth / best.sum(axis=0)))


def subsets(modalities: int) -> Iterator[tuple[int, ...]]:
    """Every subset but the empty one: singles first, all last."""
    for size in range(1, modalities + 1):
        yield from itertools.combinations(range(modalities), size)


def _of(table: np.ndarray, seen: Sequence[int]) -> np.ndarray:
    """p(y, z_S) as [classes, combinations of symbols]."""
    unseen = tuple(axis + 1 for axis in range(table.ndim - 1) if axis not in seen)
    return table.sum(axis=unseen).reshape(len(table), -1)
