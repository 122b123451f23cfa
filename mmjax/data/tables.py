"""Tables in CSV: a heading, and of every line numbers and categories, read whole and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError

Ranges = Mapping[str, tuple[float, float]]


def read_table(
    path: Path, columns: Sequence[str], ranges: Ranges, separator: str = ",", rows: int | None = None
) -> dict[str, np.ndarray]:
    """Column -> float32 [n] for those that are numbers, strings [n] in an array of objects for the others.

    Args:
      path: the file; it may have more columns.
      columns: those that are read.
      ranges: least and largest value of each column of numbers.
      separator: between columns.
      rows: lines of data that are read, from the first; None reads all.

    Raises:
      InputError: if it cannot be read, lacks a column or holds no line, or a value is no number, out of range or
        missing.
    """
    import pandas

    with reading(path):
        table = pandas.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=rows
        ).fillna("")
    missing = [name for name in columns if name not in table]
    if missing or not len(table):
        lacks = f"column {missing[0]!r}" if missing else "line of data"
        raise InputError(
            f"{path} has no {lacks}; it must have a heading and {separator!r} between columns, so get it again"
        )
    values = {name: table[name].to_numpy(object) for name in columns}
    for name, column in values.items():
        if name in ranges:
            low, high = ranges[name]
            numbers = pandas.to_numeric(column, errors="coerce")
            accept(path, name, column, (numbers >= low) & (numbers <= high), f"numbers from {low:g} to {high:g}")
            values[name] = numbers.astype(np.float32)
        else:
            accept(path, name, column, column != "", "categories, which are not empty")
    return values


def accept(path: Path, name: str, values: np.ndarray, fine: np.ndarray, accepted: str) -> None:
    """Refuses a column of which a value is not fine.

    Raises:
      InputError: naming the first such line and its value.
    """
    if not fine.all():
        row = int(np.argmin(fine))
        raise InputError(f"{path}: line {row + 2}, {name} is {values[row]!r}; accepted are {accepted}")
