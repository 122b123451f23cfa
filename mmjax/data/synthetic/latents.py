"""Joint distributions of a class and a symbol a modality, as tables: what each modality tells is exactly known.

A table is p(y, z_1, ..., z_M), float64 [classes, symbols_1, ..., symbols_M], its entries summing to 1. The families
differ in who tells what: all the same (`redundant`), each a part of its own (`unique`), none alone (`parity`,
`modular_sum`), or some of each (`mixed`).
"""

from __future__ import annotations

import itertools

import numpy as np


def redundant(modalities: int, classes: int = 4) -> np.ndarray:
    """Every symbol is the class."""
    table = np.zeros((classes,) * (modalities + 1))
    for label in range(classes):
        table[(label,) * (modalities + 1)] = 1 / classes
    return table


def unique(modalities: int) -> np.ndarray:
    """The class is as many bits as there are modalities, and every symbol is one of them."""
    table = np.zeros((2**modalities, *(2,) * modalities))
    for bits in itertools.product((0, 1), repeat=modalities):
        table[(_number(bits), *bits)] = 1 / 2**modalities
    return table


def parity(modalities: int, ones: float = 0.5) -> np.ndarray:
    """The class is whether an odd number of bits is 1; bits are independent, each 1 with probability `ones`."""
    table = np.zeros((2,) * (modalities + 1))
    for bits in itertools.product((0, 1), repeat=modalities):
        table[(sum(bits) % 2, *bits)] = np.prod([ones if bit else 1 - ones for bit in bits])
    return table


def modular_sum(modalities: int, classes: int = 4) -> np.ndarray:
    """The class is the sum of the symbols modulo the classes; symbols are independent and even."""
    table = np.zeros((classes,) * (modalities + 1))
    for symbols in itertools.product(range(classes), repeat=modalities):
        table[(sum(symbols) % classes, *symbols)] = 1 / classes**modalities
    return table


def mixed() -> np.ndarray:
    """Two modalities and a class of three bits: one that both tell, one that the first alone tells, and the parity of
    a bit of each. A bit each of redundant, unique and synergistic information.
    """
    table = np.zeros((8, 8, 4))
    for shared, own, first, second in itertools.product((0, 1), repeat=4):
        label = _number((shared, own, first ^ second))
        table[label, _number((shared, own, first)), _number((shared, second))] += 1 / 16
    return table


def agreeing(*rates: float) -> np.ndarray:
    """Two classes, and symbols that agree with the class independently, each with its own probability."""
    table = np.full((2, *(2,) * len(rates)), 0.5)
    for place in np.ndindex(table.shape):
        for symbol, rate in zip(place[1:], rates, strict=True):
            table[place] *= rate if symbol == place[0] else 1 - rate
    return table


def noisy(table: np.ndarray, error: float) -> np.ndarray:
    """Every symbol passes a symmetric channel: with probability `error` it becomes one of the others, evenly."""
    for axis in range(1, table.ndim):
        size = table.shape[axis]
        channel = np.full((size, size), error / (size - 1)) + np.eye(size) * (1 - error - error / (size - 1))
        table = np.moveaxis(np.tensordot(table, channel, axes=(axis, 0)), -1, axis)
    return table


def weighted(table: np.ndarray, prior: tuple[float, ...]) -> np.ndarray:
    """The same p(z | y) with another p(y)."""
    old = table.sum(axis=tuple(range(1, table.ndim)))
    factor = np.asarray(prior) / np.where(old > 0, old, 1)
    return table * factor.reshape(-1, *[1] * (table.ndim - 1))


def with_absence(table: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Every modality may be absent, which is one more symbol, the last.

    Given the class, modalities are absent independently, but never all of them: that case is left out and the rest
    scaled up. Rates that do not depend on the class are missing at random; others tell of it themselves.

    Args:
      table: of M modalities.
      rates: [classes, M], probabilities below 1.
    """
    modalities, labels = table.ndim - 1, table.sum(axis=tuple(range(1, table.ndim)))
    whole = np.zeros((table.shape[0], *(size + 1 for size in table.shape[1:])))
    for absent in itertools.product((False, True), repeat=modalities):
        if all(absent):
            continue
        chance = np.prod(np.where(absent, rates, 1 - rates), axis=1) / (1 - rates.prod(axis=1))
        seen = table.sum(axis=tuple(axis + 1 for axis, gone in enumerate(absent) if gone), keepdims=True)
        seen = seen * chance.reshape(-1, *[1] * modalities)
        whole[(slice(None), *(slice(-1, None) if gone else slice(0, -1) for gone in absent))] = seen
    np.testing.assert_allclose(whole.sum(axis=tuple(range(1, whole.ndim))), labels, atol=1e-12)
    return whole


def _number(bits: tuple[int, ...]) -> int:
    """The number that bits write, the first the highest."""
    return sum(bit << place for place, bit in enumerate(reversed(bits)))
