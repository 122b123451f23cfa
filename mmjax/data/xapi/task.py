"""`xapi` under the project's protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout, Text
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source
from mmjax.data.tables import accept, read_table
from mmjax.data.transforms.tabular import Table

REPOSITORY = "https://github.com/NicholasTanYuZhe/Students-Academic-Performance"
COMMIT = "6092107cb361f9f8ffc798ef384f9acfec7d940f"
FILE = "xAPI-Edu-Data.csv"
URL = f"https://raw.githubusercontent.com/NicholasTanYuZhe/Students-Academic-Performance/{COMMIT}/{FILE}"
PUPILS = 480  # lines of the original file; a longer copy that circulates was altered

VIEWS = {
    "demographic": ("gender", "NationalITy", "PlaceofBirth", "Relation"),
    "course": ("StageID", "GradeID", "SectionID", "Topic", "Semester"),
    "behaviour": ("raisedhands", "VisITedResources", "AnnouncementsView", "Discussion"),
    "parents": ("ParentAnsweringSurvey", "ParentschoolSatisfaction", "StudentAbsenceDays"),  # who answer for absence
}
RANGES = {counter: (0, 100) for counter in VIEWS["behaviour"]}
COLUMNS = tuple(column for columns in VIEWS.values() for column in columns)
CLASSES = {"L": "low", "M": "medium", "H": "high"}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """ "train" -> column -> float32 [n] or strings [n], and "label" -> int64 [n].

    Raises:
      InputError: as `read_table`, and for what is no class.
    """
    path = paths[FILE]
    columns = read_table(path, (*COLUMNS, "Class"), RANGES, rows=PUPILS)
    labels = columns.pop("Class")
    accept(path, "Class", labels, np.isin(labels.astype(str), list(CLASSES)), ", ".join(CLASSES))
    return {"train": columns | {"label": np.array([list(CLASSES).index(label) for label in labels])}}


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.xapi.xapi_dataset_builder import Builder

    return Builder(data_dir=data_dir)


def _modality(columns: tuple[str, ...]) -> Modality:
    numbers = tuple(place for place, column in enumerate(columns) if column in RANGES)
    return Modality("vector", columns, (Table(numbers),))


RECIPE = Recipe(
    dataset=Dataset(
        name="xapi",
        version="1.0.0",
        features={name: Array(()) if name in RANGES else Text() for name in COLUMNS}
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
