"""What a preprocessing step is: settings, a fit on train, and a pure function of what was fitted.

A step is a frozen dataclass: its fields are its settings, plain values that JSON takes. `fit` sees
the training split alone and returns a state of named arrays, no pickles; `apply` is a pure
function of settings, state and column. So a pipeline is saved as JSON and an npz, and does to an example
at prediction what it did in training.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from mmjax.errors import InputError

State = Mapping[str, np.ndarray]


class Column(NamedTuple):
    """One modality of n examples on its way from raw values to what an encoder takes.

    Attributes:
      values: [n, ...] numbers, or [n] str in an array of objects.
      present: [n] bool, False where the example lacks the modality; its values are then never fitted.
      lengths: [n] int32 valid steps of the first axis of an example; None where all are valid.
      vocabulary: number of ids, once the values are ids; 0 otherwise.
      rate: samples a second, where the values are sound; 0 otherwise.
      cut: [n] steps that each example lost to a limit that nobody asked for; None where none did.
    """

    values: np.ndarray
    present: np.ndarray
    lengths: np.ndarray | None = None
    vocabulary: int = 0
    rate: float = 0.0
    cut: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> Column:
        """Some of the examples."""
        lengths = None if self.lengths is None else self.lengths[rows]
        cut = None if self.cut is None else self.cut[rows]
        return self._replace(values=self.values[rows], present=self.present[rows], lengths=lengths, cut=cut)

    def without(self, steps: np.ndarray) -> Column:
        """The column, of whose examples so many steps were cut; fewer than 1 are none."""
        steps = np.where(self.present, np.maximum(steps, 0), 0)
        return self._replace(cut=steps if self.cut is None else self.cut + steps)

    @property
    def valid(self) -> np.ndarray:
        """[n, T] bool: steps that are within the length of an example that is there."""
        steps = np.arange(self.values.shape[1])
        within = (
            np.ones((len(self.values), len(steps)), bool) if self.lengths is None else steps < self.lengths[:, None]
        )
        return within & self.present[:, None]


class Transform(Protocol):
    """A step; see this file's first lines. One that fits nothing returns an empty state."""

    def fit(self, column: Column) -> State:
        """What is learnt from a column of the training split."""

    def apply(self, state: State, column: Column) -> Column:
        """The column after this step; values of absent examples may be anything."""


def fit_steps(steps: Sequence[Transform], column: Column) -> list[State]:
    """The states of steps that follow each other, each fitted on what the one before makes of train."""
    states = []
    for step in steps:
        states.append(step.fit(column))
        column = step.apply(states[-1], column)
    return states


def apply_steps(steps: Sequence[Transform], states: Sequence[State], column: Column) -> Column:
    """The column after all steps."""
    for step, state in zip(steps, states, strict=True):
        column = step.apply(state, column)
    return column


def wide(values: np.ndarray) -> np.dtype:
    """float32, or float64 where float32 would lose digits of the values' type: large offsets may still be in them.

    Only `finish` of `preprocessing.py` narrows values, when they are of even scale.
    """
    return np.dtype(np.float64) if values.dtype == object else np.result_type(values.dtype, np.float32)


def choose(transform: str, field: str, value: str, accepted: Sequence[str]) -> None:
    """Refuses a setting that is none of those accepted.

    Raises:
      InputError: naming the transform, the field and the value.
    """
    if value not in accepted:
        raise InputError(f"transform {transform}: {field} = {value!r} is not accepted: give {' or '.join(accepted)}")


def settings_of(step: Transform) -> dict:
    """A step as JSON takes it: its class's name and its fields."""
    return {"transform": type(step).__name__} | dataclasses.asdict(step)
