"""`student`: two courses, three setups and three targets, as the paper has them."""

from __future__ import annotations

import itertools

from mmjax.data.dataset import Array, Dataset, Label, Layout, Text
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.student.raw import COLUMNS, FILES, RANGES, SOURCES, VIEWS, read
from mmjax.data.transforms.tabular import Table

PASSED = ("failed", "passed")
LEVEL_NAMES = ("I", "II", "III", "IV", "V")
# Setup -> the grades that are known, in words.
SETUPS = {"a": "both earlier grades known", "b": "the first grade known", "c": "no grade known"}
TARGETS = {
    "": (Target("binary", "passed", PASSED), "whether a pupil passes"),
    "levels": (Target("multiclass", "level", LEVEL_NAMES), "a pupil's level, one of five"),
    "grade": (Target("regression", "G3"), "a pupil's last grade, 0 to 20"),
}


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.student.student_dataset_builder import Builder

    return Builder(data_dir=data_dir)


def _variant(course: str, setup: str, target: str) -> Variant:
    known = {"a": ("G1", "G2"), "b": ("G1",), "c": ()}[setup]
    views = VIEWS | {"grades": known}
    modalities = {}
    for name, columns in views.items():
        if columns:
            numbers = tuple(place for place, column in enumerate(columns) if column in RANGES)
            modalities[name] = Modality("vector", columns, (Table(numbers),))
    what, words = TARGETS[target]
    return Variant(
        summary=f"{words} in {course}, {SETUPS[setup]}; UCI Student Performance",
        modalities=modalities,
        target=what,
        rows=lambda columns: columns["course"] == course,
        protocol="fold",
        tags=("full",) if setup == "a" and not target else (),
    )


def _name(course: str, setup: str, target: str) -> str:
    """`mathematics`, setup a and passing need no word."""
    parts = [course if course != "mathematics" else "", setup if setup != "a" else "", target]
    return "-".join(filter(None, parts))


RECIPE = Recipe(
    dataset=Dataset(
        name="student",
        version="1.0.0",
        features={name: Array(()) if name in RANGES else Text() for name in COLUMNS}
        | {"course": Text(), "passed": Label(PASSED), "level": Label(LEVEL_NAMES)},
        layouts=(Layout(SOURCES, read),),
        homepage="https://archive.ics.uci.edu/dataset/320/student+performance",
    ),
    make_builder=make_builder,
    variants={_name(*parts): _variant(*parts) for parts in itertools.product(FILES, SETUPS, TARGETS)},
    source="UCI Student Performance (Cortez and Silva 2008)",
    tags=("education",),
    protocols=("fold", "random_80_20"),
)
