"""`xapi` under the project's protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout, Text
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source, reading
from mmjax.data.transforms.tabular import Table
from mmjax.errors import InputError

REPOSITORY = "https://github.com/NicholasTanYuZhe/Students-Academic-Performance"
FILE = "xAPI-Edu-Data.csv"
URL = f"https://raw.githubusercontent.com/NicholasTanYuZhe/Students-Academic-Performance/6092107cb361f9f8ffc798ef384f9acfec7d940f/{FILE}"
PUPILS = 480  # what follows in some copies repeats them
VIEWS = {
    "demographic": ("gender", "NationalITy", "PlaceofBirth"),
    "course": ("StageID", "GradeID", "SectionID", "Topic", "Semester"),
    "behaviour": ("raisedhands", "VisITedResources", "AnnouncementsView", "Discussion", "StudentAbsenceDays"),
    "parents": ("Relation", "ParentAnsweringSurvey", "ParentschoolSatisfaction"),
}
NUMBERS = ("raisedhands", "VisITedResources", "AnnouncementsView", "Discussion")  # each from 0 to 100
COLUMNS = tuple(column for columns in VIEWS.values() for column in columns)
CLASSES = {"L": "low", "M": "medium", "H": "high"}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """ "train" -> column -> float32 [n] or strings [n], and "label" -> int64 [n].

    Raises:
      InputError: if the file is broken, lacks a column, or holds what is no number or no class.
    """
    import pandas

    path = paths[FILE]
    with reading(path):
        table = pandas.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=PUPILS)
    missing = [name for name in (*COLUMNS, "Class") if name not in table]
    if missing or not len(table):
        lacks = f"column {missing[0]!r}" if missing else "line of data"
        raise InputError(f"{path} has no {lacks}; it must have a heading and ',' between columns, so get it again")
    columns = {}
    for name in COLUMNS:
        values = table[name].to_numpy(object)
        if name in NUMBERS:
            numbers = pandas.to_numeric(values, errors="coerce")
            _accept(path, name, values, (numbers >= 0) & (numbers <= 100), "numbers from 0 to 100")
            values = numbers.astype(np.float32)
        columns[name] = values
    labels = table["Class"].to_numpy(object)
    _accept(path, "Class", labels, np.isin(labels.astype(str), list(CLASSES)), ", ".join(CLASSES))
    return {"train": columns | {"label": np.array([list(CLASSES).index(label) for label in labels])}}


def _accept(path: Path, name: str, values: np.ndarray, fine: np.ndarray, accepted: str) -> None:
    if not fine.all():
        row = int(np.argmin(fine))
        raise InputError(f"{path}: line {row + 2}, {name} is {values[row]!r}; accepted are {accepted}")


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.xapi.xapi_dataset_builder import Builder

    return Builder(data_dir=data_dir)


def _modality(columns: tuple[str, ...]) -> Modality:
    numbers = tuple(place for place, column in enumerate(columns) if column in NUMBERS)
    return Modality("vector", columns, (Table(numbers),))


RECIPE = Recipe(
    dataset=Dataset(
        name="xapi",
        version="1.0.0",
        features={name: Array(()) if name in NUMBERS else Text() for name in COLUMNS}
        | {"label": Label(tuple(CLASSES.values()))},
        layouts=(Layout((Source("xapi", FILE, URL, REPOSITORY),), read),),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="how well a pupil does, from who they are, the course, behaviour and parents; xAPI-Edu-Data",
            modalities={name: _modality(columns) for name, columns in VIEWS.items()},
            target=Target("multiclass", "label", tuple(CLASSES.values())),
            protocol="fold",
            tags=("full",),
        )
    },
    source="xAPI-Edu-Data (Kalboard 360)",
    tags=("education",),
    protocols=("fold", "random_80_20"),
)
