"""Symbols as images, words, sounds and vectors, from which they can be read back without error.

So an observation tells its symbol exactly and of the class nothing beyond it, and what is computed from the table of
symbols holds for the observations.
"""

from __future__ import annotations

import numpy as np

from mmjax.types import ModalitySpec

KINDS = ("image", "tokens", "sequence", "vector", "image")  # of the modalities, in order
QUIET, LOUD = (0.0, 0.4), (0.6, 1.0)  # apart, so that a symbol can be read
CELLS, CELL = 3, 4  # an image is CELLS x CELLS places of CELL x CELL pixels
WORDS, OWN, FILLERS = 10, 3, 20  # of a text: words, a symbol's synonyms, and words that say nothing
STEPS, STRETCH = 8, 3  # of a sound: steps, and how long a symbol sounds
DISTRACTORS = 4  # entries of a vector that say nothing


def spec_of(name: str, kind: str, symbols: int) -> ModalitySpec:
    """What a modality of so many symbols looks like; of an image 9 at most."""
    if kind == "image":
        return ModalitySpec(name, kind, (CELLS * CELL, CELLS * CELL, 1))
    if kind == "tokens":
        return ModalitySpec(name, kind, (WORDS,), vocabulary=1 + FILLERS + OWN * symbols)
    return ModalitySpec(name, kind, (STEPS, symbols) if kind == "sequence" else (symbols + DISTRACTORS,))


def render(generator: np.random.Generator, spec: ModalitySpec, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Observations [n, *shape] and their lengths [n] (of kinds that have them) of symbols [n]."""
    n, rows = len(symbols), np.arange(len(symbols))
    lengths = np.full(n, spec.shape[0], np.int32)
    if spec.kind == "tokens":
        lengths = generator.integers(WORDS // 2, WORDS, n, endpoint=True).astype(np.int32)
        ids = generator.integers(1, 1 + FILLERS, (n, WORDS))
        ids[rows, generator.integers(0, lengths)] = 1 + FILLERS + OWN * symbols + generator.integers(0, OWN, n)
        return np.where(np.arange(WORDS) < lengths[:, None], ids, 0).astype(np.int32), lengths
    values = generator.uniform(*QUIET, (n, *spec.shape))
    loud = generator.uniform(*LOUD, (n, *spec.shape))
    if spec.kind == "image":
        row, column = (CELL * axis for axis in np.divmod(symbols, CELLS))
        side = CELL - 1
        top, left = row + generator.integers(0, 2, n), column + generator.integers(0, 2, n)
        y, x = np.arange(spec.shape[0])[None, :, None], np.arange(spec.shape[1])[None, None, :]
        top, left = top[:, None, None], left[:, None, None]
        inside = (y >= top) & (y < top + side) & (x >= left) & (x < left + side)
        values = np.where(inside[..., None], loud, values)
    elif spec.kind == "sequence":
        start = generator.integers(0, STEPS - STRETCH, n, endpoint=True)
        steps = start[:, None] + np.arange(STRETCH)
        values[rows[:, None], steps, symbols[:, None]] = loud[rows[:, None], steps, symbols[:, None]]
    else:
        values[rows, symbols] = loud[rows, symbols]
    return values.astype(np.float32), lengths


def symbols_from(spec: ModalitySpec, values: np.ndarray) -> np.ndarray:
    """The symbols [n] that observations were rendered from."""
    middle = (QUIET[1] + LOUD[0]) / 2
    if spec.kind == "tokens":
        return ((values - 1 - FILLERS) // OWN).max(axis=1)
    if spec.kind == "sequence":
        return (values > middle).any(axis=1).argmax(axis=1)
    if spec.kind == "vector":
        return (values[:, :-DISTRACTORS] > middle).argmax(axis=1)
    cells = (values[..., 0] > middle).reshape(len(values), CELLS, CELL, CELLS, CELL).sum(axis=(2, 4))
    return cells.reshape(len(values), -1).argmax(axis=1)
