"""The raw files of `student`: one line a pupil, `;` between columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.dataset import Columns
from mmjax.data.sources import Source
from mmjax.data.tables import read_table

REPOSITORY = "https://github.com/arunk13/MSDA-Assignments"
COMMIT = "172b2bd6507ca7dfd9953a42c3adf267256cdf05"
URL = f"https://raw.githubusercontent.com/arunk13/MSDA-Assignments/{COMMIT}/IS607Fall2015/Assignment3"
FILES = {"mathematics": "student-mat.csv", "portuguese": "student-por.csv"}
SOURCES = tuple(Source("student", file, f"{URL}/{file}", REPOSITORY) for file in FILES.values())

VIEWS = {
    "demographic": ("school", "sex", "age", "address", "reason", "traveltime"),
    "family": (
        "famsize", "Pstatus", "Medu", "Fedu", "Mjob", "Fjob", "guardian", "famsup", "famrel", "schoolsup", "paid",
        "nursery",
    ),
    "behaviour": (
        "studytime", "failures", "activities", "higher", "internet", "romantic", "freetime", "goout", "Dalc", "Walc",
        "health", "absences",
    ),
    "grades": ("G1", "G2"),
}  # fmt: skip
RANGES = {
    "age": (15, 22), "traveltime": (1, 4), "Medu": (0, 4), "Fedu": (0, 4), "famrel": (1, 5), "studytime": (1, 4),
    "failures": (0, 4), "freetime": (1, 5), "goout": (1, 5), "Dalc": (1, 5), "Walc": (1, 5), "health": (1, 5),
    "absences": (0, 93), "G1": (0, 20), "G2": (0, 20), "G3": (0, 20),
}  # of the columns that are numbers, as the data set's description gives them  # fmt: skip
COLUMNS = (*(column for columns in VIEWS.values() for column in columns), "G3")
PASS = 10  # least last grade of who passes
LEVELS = (16, 14, 12, 10, 0)  # least last grade of the levels I to V (Cortez and Silva 2008)


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """ "train" -> column -> float32 [n] or strings [n]; "course", "passed" and "level" are added.

    Raises:
      InputError: as `read_table`.
    """
    courses = [_read_course(paths[file], course) for course, file in FILES.items()]
    return {"train": {name: np.concatenate([columns[name] for columns in courses]) for name in courses[0]}}


def _read_course(path: Path, course: str) -> Columns:
    columns = read_table(path, COLUMNS, RANGES, separator=";")
    grade = columns["G3"]
    return columns | {
        "course": np.full(len(grade), course, object),
        "passed": (grade >= PASS).astype(np.int64),
        "level": np.argmax(grade[:, None] >= np.array(LEVELS), axis=1),
    }
