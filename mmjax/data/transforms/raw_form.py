"""What a modality's raw values were like when its task was prepared; new examples are brought to it, or refused."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

from mmjax.data.transforms.audio import Resample
from mmjax.data.transforms.contract import Column, Transform
from mmjax.data.transforms.image import Resize
from mmjax.errors import InputError

FULL_SCALE, OWN = "full scale", "own"  # units of sound: 1 is the loudest that can be, or whatever the numbers mean
PIXELS = ("image", "video")


@dataclasses.dataclass(frozen=True)
class RawForm:
    """What reading found, as JSON takes it; what is empty or 0 is not known and binds nothing.

    Attributes:
      kind: of task.yaml; "" where no task.yaml made the task.
      dtype: of the raw values, as NumPy writes it.
      shape: of one example's raw values.
      rate: samples a second of sound.
      seconds: of sound that are read at most.
      units: of sound, FULL_SCALE or OWN.
      channels: where an array of pictures has its colours, "first" or "last".
      columns: names of a table's columns, in the order in which its steps take them.
      types: of each of them, "number" or "category".
      decimals: of each of them, the decimal mark of its numbers, and the mark between thousands where there was one.
    """

    kind: str = ""
    dtype: str = ""
    shape: tuple[int, ...] = ()
    rate: float = 0.0
    seconds: float = 0.0
    units: str = ""
    channels: str = ""
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    decimals: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, settings: dict) -> RawForm:
        """What `dataclasses.asdict` gave, after JSON made lists of tuples."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()})

    def of_column(self, column: Column) -> RawForm:
        """This, with what a column of raw values shows by itself."""
        values = column.values
        return dataclasses.replace(self, dtype=str(values.dtype), shape=values.shape[1:], rate=float(column.rate))


class RawModality(NamedTuple):
    """A modality as it was read.

    Attributes:
      column: raw values.
      steps: that preprocess it.
      form: what was found.
      warnings: what a reader of results must know, one sentence each.
    """

    column: Column
    steps: tuple[Transform, ...]
    form: RawForm
    warnings: tuple[str, ...] = ()


def bring(form: RawForm, kind: str, what: str, column: Column) -> Column:
    """A column of new raw values with the rate, depth and size of those of training.

    Args:
      form: of training.
      kind: one of MODALITY_KINDS.
      what: how the values are called in a complaint.
      column: new raw values.

    Raises:
      InputError: if they cannot be brought to it.
    """
    if form.rate:
        column = _of_rate(form, what, column)
    if (kind in PIXELS or form.rate) and form.dtype:
        column = _of_depth(form, what, column)
    if kind in PIXELS and len(form.shape) >= 3 and column.values.ndim == len(form.shape) + 1:
        column = _of_size(form, column)
    return column


def _of_rate(form: RawForm, what: str, column: Column) -> Column:
    if not (np.isfinite(column.rate) and column.rate > 0):
        raise InputError(f"{what}: rate is {column.rate:g}; accepted are samples a second, above 0")
    if column.rate == form.rate or column.values.ndim != 2:
        return column
    return Resample(form.rate).apply({}, column)


def _of_depth(form: RawForm, what: str, column: Column) -> Column:
    wanted, given = np.dtype(form.dtype), column.values.dtype
    if wanted.kind == given.kind and (wanted.kind != "u" or wanted == given):
        return column
    if wanted.kind == "u" and given.kind in "iu":  # the same numbers, kept in a wider type
        limits = np.iinfo(wanted)
        if column.values.size and limits.min <= column.values.min() and column.values.max() <= limits.max:
            return column._replace(values=column.values.astype(wanted))
    raise InputError(f"{what} holds {given}, and the run was trained on {wanted}; give values as in training")


def _of_size(form: RawForm, column: Column) -> Column:
    (height, width, channels), values = form.shape[-3:], column.values
    if values.shape[-1] != channels or values.shape[-3:-1] == (height, width):
        return column  # another number of channels is refused where the shape is checked
    return column._replace(values=Resize(height, width).apply({}, column).values)
