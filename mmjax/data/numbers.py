"""Files of nothing but numbers."""

from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError


def read_matrix(path: Path, columns: int, rows: int | None = None) -> np.ndarray:
    """A CSV file without a heading, float64 [rows, columns].

    Raises:
      InputError: if it cannot be read, has another shape, or holds a number that is not finite.
    """
    with reading(path):
        values = np.loadtxt(path, delimiter=",", ndmin=2, encoding="utf-8-sig")
    if values.shape[1] != columns or not len(values) or (rows is not None and len(values) != rows):
        wanted = "n" if rows is None else rows
        raise InputError(f"{path}: holds {values.shape} numbers, and must hold ({wanted}, {columns}); get it again")
    if not np.isfinite(values).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise InputError(f"{path}: line {row + 1}, column {column + 1} is {values[row, column]}; values must be finite")
    return values
