"""The raw files of `student`: one line a pupil, `;` between columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.dataset import Columns
from mmjax.data.sources import Source, reading
from mmjax.errors import InputError

REPOSITORY = "https://github.com/arunk13/MSDA-Assignments"
URL = "https://raw.githubusercontent.com/arunk13/MSDA-Assignments/172b2bd6507ca7dfd9953a42c3adf267256cdf05/IS607Fall2015/Assignment3"
FILES = {"mathematics": "student-mat.csv", "portuguese": "student-por.csv"}
SOURCES = tuple(Source("student", file, f"{URL}/{file}", REPOSITORY) for file in FILES.values())

# Columns of each view; of them, those that are numbers.
VIEWS = {
    "demographic": ("school", "sex", "age", "address", "health"),
    "family": ("famsize", "Pstatus", "Medu", "Fedu", "Mjob", "Fjob", "guardian", "famsup", "famrel"),
    "behaviour": (
        "reason", "traveltime", "studytime", "failures", "schoolsup", "paid", "activities", "nursery", "higher",
        "internet", "romantic", "freetime", "goout", "Dalc", "Walc", "absences",
    ),
    "grades": ("G1", "G2"),
}  # fmt: skip
NUMBERS = {
    "age": (15, 22), "health": (1, 5), "Medu": (0, 4), "Fedu": (0, 4), "famrel": (1, 5), "traveltime": (1, 4),
    "studytime": (1, 4), "failures": (0, 4), "freetime": (1, 5), "goout": (1, 5), "Dalc": (1, 5), "Walc": (1, 5),
    "absences": (0, 93), "G1": (0, 20), "G2": (0, 20), "G3": (0, 20),
}  # and the range of each  # fmt: skip
COLUMNS = (*(column for columns in VIEWS.values() for column in columns), "G3")
LEVELS = (16, 14, 12, 10, 0)  # least last grade of the levels I to V


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """ "train" -> column -> float32 [n] or strings [n]; "course", "passed" and "level" are added.

    Raises:
      InputError: if a file is broken, lacks a column, or holds what is no number or out of range.
    """
    courses = [_read_course(paths[file], course) for course, file in FILES.items()]
    return {"train": {name: np.concatenate([columns[name] for columns in courses]) for name in courses[0]}}


def _read_course(path: Path, course: str) -> Columns:
    import pandas

    with reading(path):
        table = pandas.read_csv(path, sep=";", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = [name for name in COLUMNS if name not in table]
    if missing or not len(table):
        lacks = f"column {missing[0]!r}" if missing else "line of data"
        raise InputError(f"{path} has no {lacks}; it must have a heading and ';' between columns, so get it again")
    columns = {}
    for name in COLUMNS:
        values = table[name].to_numpy(object)
        columns[name] = _numbers(path, name, values) if name in NUMBERS else values
    grade = columns["G3"]
    return columns | {
        "course": np.full(len(grade), course, object),
        "passed": (grade >= 10).astype(np.int64),
        "level": np.argmax(grade[:, None] >= np.array(LEVELS), axis=1),
    }


def _numbers(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    import pandas

    numbers = pandas.to_numeric(values, errors="coerce")
    low, high = NUMBERS[name]
    wrong = ~((numbers >= low) & (numbers <= high))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}: line {row + 2}, {name} is {values[row]!r}; accepted are numbers from {low} to {high}"
        )
    return numbers.astype(np.float32)
