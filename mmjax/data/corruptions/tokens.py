"""Text: ids [n, T] with lengths, 0 padding; and strings, before they are ids."""

from __future__ import annotations

import numpy as np

from mmjax.data.corruptions.contract import LEVELS, Changed, Draw

DROPPED = 0.9  # share of the words that level 10 takes out
SWAPPED = 1.0  # share of neighbouring pairs that level 10 swaps
MISTYPED = 0.5  # share of the words, or of a string's letters, that level 10 mistypes
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def drop(draw: Draw) -> Changed:
    """Take words out; the rest move together, and one at least stays."""
    n, steps = draw.values.shape
    rank = np.where(draw.valid, draw.generator.random((n, steps)), np.inf).argsort(axis=1).argsort(axis=1)
    keep = np.maximum(np.ceil((1 - DROPPED * draw.share) * draw.lengths), np.minimum(draw.lengths, 1)).astype(int)
    order = np.argsort(rank >= keep[:, None], axis=1, kind="stable")
    return np.take_along_axis(draw.values, order, axis=1), keep.astype(np.int32), draw.present


def swap(draw: Draw) -> Changed:
    """Swap neighbours: of pairs of places 0 and 1, 2 and 3, ... some change sides."""
    n, steps = draw.values.shape
    pairs = steps // 2
    chosen = draw.generator.random((n, pairs)) < SWAPPED * draw.share
    chosen &= draw.valid[:, 1 : 2 * pairs : 2]
    order = np.tile(np.arange(steps), (n, 1))
    even, odd = order[:, 0 : 2 * pairs : 2], order[:, 1 : 2 * pairs : 2]
    order[:, 0 : 2 * pairs : 2], order[:, 1 : 2 * pairs : 2] = np.where(chosen, odd, even), np.where(chosen, even, odd)
    return draw.kept(np.take_along_axis(draw.values, order, axis=1))


def typos(draw: Draw) -> Changed:
    """Put other words of the vocabulary in the place of some: mistyped, a word becomes another."""
    chosen = draw.generator.random(draw.values.shape) < MISTYPED * draw.share
    other = draw.generator.integers(1, draw.spec.vocabulary, draw.values.shape)
    return draw.kept(np.where(chosen & draw.valid, other, draw.values))


def typo_text(strings: np.ndarray, level: int, seed: int) -> np.ndarray:
    """Strings in which letters are replaced by others of the alphabet.

    Args:
      strings: [n] str in an array of objects.
      level: 0 to 10.
      seed: of the draws; letters of a lower level are among those of a higher one.
    """
    generator = np.random.default_rng(seed)
    changed = np.empty(len(strings), object)
    for row, text in enumerate(strings):
        letters = np.array(list(text), "U1") if text else np.empty(0, "U1")
        chosen = generator.random(len(letters)) < MISTYPED * level / (LEVELS - 1)
        other = np.array(list(LETTERS))[generator.integers(0, len(LETTERS), len(letters))]
        changed[row] = "".join(np.where(chosen & np.char.isalpha(letters), other, letters))
    return changed
