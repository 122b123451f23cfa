"""Tables: CSV, TSV and Parquet, every cell as it stands."""

from __future__ import annotations

import csv
import functools
from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError, unknown_name

SUFFIXES = (".csv", ".tsv", ".parquet")
MISSING = ("", "nan", "na", "n/a", "null", "none")  # cells that say nothing, in lower case


class TableFile:
    """A table's columns as strings ("" is missing), and the line that each row stands in."""

    def __init__(self, path: Path, delimiter: str = ""):
        self.path = path
        self.frame = _parquet(path) if path.suffix == ".parquet" else _separated(path, delimiter)
        if not len(self.frame):
            raise InputError(f"{path} has no line of data below its heading; give at least one")

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.frame)

    def where(self, row: int, column: str) -> str:
        """How a cell is pointed at."""
        line = f"row {row}" if self.path.suffix == ".parquet" else f"line {row + 2}"
        return f"{self.path}, {line}, column {column!r}"

    def strings(self, column: str) -> np.ndarray:
        """[n] str in an array of objects; "" where the cell says nothing.

        Raises:
          InputError: if there is no such column.
        """
        if column not in self.frame:
            raise InputError(f"{self.path}: {unknown_name('column', column, self.frame.columns)}")
        return self.frame[column].to_numpy(object)

    def numbers(self, column: str) -> np.ndarray:
        """[n] float64; NaN where the cell says nothing.

        Raises:
          InputError: naming the first cell that is no finite number.
        """
        strings = self.strings(column)
        values = np.full(len(strings), np.nan)
        for row, text in enumerate(strings):
            if text:
                try:
                    values[row] = float(text)
                except ValueError:
                    raise InputError(f"{self.where(row, column)}: {text!r} is no number; correct or empty it") from None
                if not np.isfinite(values[row]):
                    raise InputError(f"{self.where(row, column)}: {text!r} is not finite; correct or empty the cell")
        return values


@functools.lru_cache(maxsize=8)
def _read(path: Path, delimiter: str, stamp: tuple) -> TableFile:
    return TableFile(path, delimiter)


def read_table(path: Path, delimiter: str = "") -> TableFile:
    """A table, read once as long as its file stays the same.

    Raises:
      InputError: if it is broken, empty, has a column twice, or lines of different length.
    """
    status = path.stat()
    return _read(path, delimiter, (status.st_size, status.st_mtime_ns))


def _separated(path: Path, delimiter: str):
    import pandas

    separator = delimiter or ("\t" if path.suffix == ".tsv" else ",")
    _check_separator(path, separator)
    with reading(path), open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=separator, strict=True, skipinitialspace=True)
        heading = [name.strip() for name in next(reader, [])]
        lines = [(reader.line_num, line) for line in reader if line]
    twice = next((name for place, name in enumerate(heading) if name in heading[:place]), None)
    if twice is not None:
        raise InputError(f"{path}, line 1: column {twice!r} is there twice; rename one")
    for number, line in lines:
        if len(line) != len(heading):
            raise InputError(
                f"{path}, line {number}: has {len(line)} columns and the heading {len(heading)}; complete or shorten it"
            )
    frame = pandas.DataFrame([line for _, line in lines], columns=heading, dtype=object)
    return frame.map(lambda cell: "" if cell.strip().lower() in MISSING else cell)


def _check_separator(path: Path, separator: str) -> None:
    """Refuses a heading in which something else stands between columns, which a parser would call ragged lines."""
    with reading(path), open(path, encoding="utf-8-sig") as file:
        heading = file.readline().strip()
    other = next((mark for mark in (";", "\t", "|", ",") if mark in heading and separator not in heading), None)
    if other:
        raise InputError(
            f"{path}, line 1: {heading[:60]!r} is one column if {separator!r} stands between columns; "
            f"say `delimiter: {other!r}` in task.yaml"
        )


def _parquet(path: Path):
    import pandas

    with reading(path):
        frame = pandas.read_parquet(path)
    text = frame.astype(object).where(frame.notna(), "").map(lambda cell: str(cell))
    return text.map(lambda cell: "" if cell.strip().lower() in MISSING else cell)
