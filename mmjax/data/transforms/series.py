"""Sequences of one length, and what changes in them; [n, T, ...] with lengths."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.data.transforms.contract import Column, State, choose, wide
from mmjax.errors import InputError

LEAST_PRICE = 1e-12  # below which a return is not defined


@dataclasses.dataclass(frozen=True)
class Resteps:
    """Bring every sequence to the same number of steps, evenly spaced over its own, between which is interpolated.

    Attributes:
      steps: T afterwards, at least 2.
    """

    steps: int

    def __post_init__(self):
        _at_least("Resteps", "steps", self.steps, 2)

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        n, length = column.values.shape[:2]
        last = (np.full(n, length) if column.lengths is None else np.maximum(column.lengths, 1)) - 1
        places = np.linspace(0, 1, self.steps) * last[:, None]
        before = np.floor(places).astype(int)
        after = np.minimum(before + 1, last[:, None])
        share = (places - before).reshape(n, self.steps, *[1] * (column.values.ndim - 2))
        rows = np.arange(n)[:, None]
        values = (1 - share) * column.values[rows, before] + share * column.values[rows, after]
        return column._replace(values=values.astype(wide(column.values)), lengths=None)


@dataclasses.dataclass(frozen=True)
class Stretches:
    """Cut every sequence into equal stretches of time, and say of each what its steps are like.

    Attributes:
      stretches: T afterwards, at least 1; of each the mean, then the deviation of every feature.
    """

    stretches: int

    def __post_init__(self):
        _at_least("Stretches", "stretches", self.stretches, 1)

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        n, length = column.values.shape[:2]
        lengths = np.full(n, length) if column.lengths is None else column.lengths
        mean, deviation = stretches_of(column.values, lengths, self.stretches)
        return column._replace(values=np.concatenate([mean, deviation], axis=2), lengths=None)


def stretches_of(values: np.ndarray, lengths: np.ndarray, stretches: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of a sequence's features in equal stretches of its valid steps.

    Args:
      values: [n, T, d]; what stands after a length is not read.
      lengths: [n], 1 to T; of a shorter sequence stretches share steps, and of one without steps all is 0.
      stretches: S.

    Returns:
      [n, S, d] twice, float32; the mean in float64 where the values are wider.
    """
    rows, bounds = np.arange(len(values))[:, None], np.arange(stretches + 1) * lengths[:, None] // stretches
    first = np.minimum(bounds[:, :-1], np.maximum(lengths[:, None] - 1, 0))
    last = np.maximum(bounds[:, 1:], first + (lengths[:, None] > 0))
    valid = (np.arange(values.shape[1]) < lengths[:, None])[..., None]
    centre = np.where(valid, values, 0).mean(axis=1, keepdims=True)  # near it, squares lose no digits
    steps = np.where(valid, values - centre, 0).astype(np.float64)

    def mean_of(numbers: np.ndarray) -> np.ndarray:
        sums = np.pad(np.cumsum(numbers, axis=1), ((0, 0), (1, 0), (0, 0)))
        return (sums[rows, last] - sums[rows, first]) / np.maximum(last - first, 1)[..., None]

    mean = mean_of(steps)
    deviation = np.sqrt(np.maximum(mean_of(steps**2) - mean**2, 0))
    return (mean + centre).astype(wide(values)), deviation.astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Window:
    """Keep a window of every sequence; of a shorter one all of it.

    Attributes:
      steps: of the window, at least 1; 0 takes the longest sequence of train.
      keep: which end, "first" or "last".
    """

    steps: int = 0
    keep: str = "last"

    def __post_init__(self):
        _at_least("Window", "steps", self.steps, 0)
        choose("Window", "keep", self.keep, ("first", "last"))

    def fit(self, column: Column) -> State:
        longest = column.values.shape[1]
        if column.lengths is not None:
            longest = int(np.max(column.lengths[column.present], initial=1))
        return {"steps": np.array(self.steps or longest)}

    def apply(self, state: State, column: Column) -> Column:
        steps, (n, length) = int(state["steps"]), column.values.shape[:2]
        lengths = np.full(n, length) if column.lengths is None else column.lengths
        start = np.maximum(lengths - steps, 0) if self.keep == "last" else np.zeros(n, int)
        places = start[:, None] + np.arange(steps)
        values = column.values[np.arange(n)[:, None], np.minimum(places, length - 1)]
        column = column if self.steps else column.without(lengths - steps)
        return column._replace(values=values, lengths=np.minimum(lengths, steps).astype(np.int32))


@dataclasses.dataclass(frozen=True)
class Returns:
    """Turn levels above 0, as prices, into what each step adds to the one before; a sequence loses a step.

    Attributes:
      kind: "log" (log p_t - log p_{t-1}) or "simple" (p_t / p_{t-1} - 1).
    """

    kind: str = "log"

    def __post_init__(self):
        choose("Returns", "kind", self.kind, ("log", "simple"))

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        levels = np.maximum(column.values.astype(np.float64), LEAST_PRICE)
        ratios = levels[:, 1:] / levels[:, :-1]
        return _one_less(column, np.log(ratios) if self.kind == "log" else ratios - 1)


@dataclasses.dataclass(frozen=True)
class Differences:
    """Turn values into what each step adds to the one before; a sequence loses a step."""

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        return _one_less(column, np.diff(column.values.astype(np.float64), axis=1))


@dataclasses.dataclass(frozen=True)
class Centre:
    """Subtract from every step a point of the first: of [n, T, joints x 3] skeletons, the place of one joint.

    Attributes:
      joint: which.
      scale: what the result is multiplied by, as 0.001 for millimetres to metres.
    """

    joint: int = 0
    scale: float = 1.0

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        n, steps, width = column.values.shape
        points = column.values.reshape(n, steps, width // 3, 3).astype(np.float64)
        moved = self.scale * (points - points[:, :1, self.joint : self.joint + 1])
        return column._replace(values=moved.reshape(n, steps, width).astype(np.float32))


def _one_less(column: Column, values: np.ndarray) -> Column:
    """The column with values of a step less; one step is left of what had one, and it is 0."""
    if not values.shape[1]:
        values = np.zeros((len(values), 1, *values.shape[2:]))
    lengths = None if column.lengths is None else np.maximum(column.lengths - 1, 1).astype(np.int32)
    if lengths is not None:
        alone = (column.lengths <= 1)[:, None] & (np.arange(values.shape[1]) == 0)
        values = np.where(alone.reshape(*alone.shape, *[1] * (values.ndim - 2)), 0, values)
    return column._replace(values=values.astype(np.float32), lengths=lengths)


def _at_least(transform: str, field: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"transform {transform}: {field} = {value} is not accepted: give {least} or more")
