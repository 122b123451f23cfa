"""Tables: CSV, TSV and Parquet, every cell as it stands."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmjax.data.folder.separated import read_separated
from mmjax.data.folder.words import plain
from mmjax.data.sources import reading
from mmjax.errors import InputError, shown, unknown_name

SUFFIXES = (".csv", ".tsv", ".parquet")
MISSING = ("", "nan", "na", "n/a", "null", "none")  # cells that say nothing, in lower case


def is_table(path: Path) -> bool:
    """Whether a file's name ends as that of a table, in either case."""
    return path.suffix.lower() in SUFFIXES


class TableFile:
    """A table's columns as strings, without space around them and in composed Unicode, and each row's line.

    Attributes:
      path: of the file.
      frame: [n, columns] str; "" where the cell says nothing (MISSING).
      delimiter: what stands between columns; "" in Parquet.
    """

    def __init__(self, path: Path, delimiter: str = ""):
        import pandas

        self.path = path
        if path.suffix.lower() == ".parquet":
            (heading, rows), self._lines, self.delimiter = _parquet(path), None, ""
        else:
            heading, rows, self._lines, self.delimiter = read_separated(path, delimiter)
        if not rows:
            raise InputError(f"{path} has no line of data below its heading; give at least one")
        self._as_they_stand = _array([[plain(cell) for cell in row] for row in rows], len(heading))
        told = [["" if cell.lower() in MISSING else cell for cell in row] for row in self._as_they_stand.tolist()]
        self.frame = pandas.DataFrame(_array(told, len(heading)), columns=heading, dtype=object)
        self._places = {name: place for place, name in enumerate(heading)}

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.frame)

    def where(self, row: int, column: str) -> str:
        """How a cell is pointed at: by the line of the file in which its row begins."""
        line = f"row {row}" if self._lines is None else f"line {self._lines[row]}"
        return f"{self.path}, {line}, column {shown(column)}"

    def strings(self, column: str) -> np.ndarray:
        """[n] str in an array of objects; "" where the cell says nothing.

        Raises:
          InputError: if there is no such column.
        """
        return self.frame.iloc[:, self._place(column)].to_numpy(object)

    def cells(self, column: str) -> np.ndarray:
        """[n] str in an array of objects, also where a word such as `None` stands, which `strings` takes for nothing.

        Raises:
          InputError: if there is no such column.
        """
        return self._as_they_stand[:, self._place(column)]

    def _place(self, column: str) -> int:
        place = self._places.get(plain(column))
        if place is None:
            raise InputError(f"{self.path}: {unknown_name('column', column, self._places, 'its heading')}")
        return place


@functools.lru_cache(maxsize=8)
def _read(path: Path, delimiter: str, stamp: tuple) -> TableFile:
    return TableFile(path, delimiter)


def read_table(path: Path, delimiter: str = "") -> TableFile:
    """A table, read once as long as its file stays the same.

    Raises:
      InputError: if it is broken, empty, has a column twice, or lines of different length.
    """
    with reading(path, own=True):
        status = path.stat()
    return _read(path, delimiter, (status.st_size, status.st_mtime_ns))


def _array(rows: Sequence[Sequence[str]], columns: int) -> np.ndarray:
    """[n, columns] of objects."""
    cells = np.empty((len(rows), columns), object)
    cells[:] = rows
    return cells


def _parquet(path: Path) -> tuple[list[str], list[tuple[str, ...]]]:
    import pandas

    with reading(path, own=True):
        frame = pandas.read_parquet(path, dtype_backend="numpy_nullable")  # whole numbers stay so beside empty cells
    columns = [
        ["" if empty else str(value) for value, empty in zip(series.astype(object), series.isna(), strict=True)]
        for _, series in frame.items()
    ]
    return [plain(str(name)) for name in frame.columns], list(zip(*columns, strict=True))
