"""`handwritten` under the project's protocols, and `handwritten/tmc` under its paper's."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.data.cleaning import cleaning_report
from mmjax.data.columns import load_columns
from mmjax.data.dataset import Array, Dataset, Label, Layout
from mmjax.data.handwritten.views import CLASSES, FILE, SOURCES, VERSION, VIEWS, read_views
from mmjax.data.prepare import make_task
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.transforms.tabular import Scale
from mmjax.types import Task

DIGITS = tuple(str(digit) for digit in range(CLASSES))
MONITOR, SEED = 0.1, 0  # share of the shipped train split that tmc watches, and the seed that draws it


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.handwritten.handwritten_dataset_builder import Builder

    return Builder(data_dir=data_dir)


def _variant(summary: str, scale: Scale, tags: tuple[str, ...], contaminated: str = "") -> Variant:
    modalities = {view: Modality("vector", (view,), (scale,)) for view in VIEWS}
    target = Target("multiclass", "label", DIGITS)
    return Variant(summary, modalities, target, tags=tags, contaminated=contaminated)


RECIPE = Recipe(
    dataset=Dataset(
        name="handwritten",
        version=VERSION,
        features={view: Array((width,)) for view, width in VIEWS.items()} | {"label": Label(DIGITS)},
        layouts=(Layout(SOURCES, lambda paths: read_views(paths[FILE])),),
        homepage="https://archive.ics.uci.edu/dataset/72/multiple+features",
    ),
    make_builder=make_builder,
    variants={
        "": _variant(
            "a handwritten digit from six sets of features; UCI Multiple Features",
            Scale(),
            tags=("smoke", "paper", "full"),
        )
    },
    source="UCI Multiple Features, split of github.com/hanmenghan/TMC",
    tags=("multiview",),
    protocols=("official", "random_80_20", "fold", "conflict"),
)
TMC = _variant(
    "the same in the protocol of TMC: all 1,600 in train, min-max scaled, validation not held out",
    Scale("min_max"),
    tags=("paper",),
    contaminated="its examples are in train too, as the paper's protocol has it",
)


def load_tmc(data_dir: str | None, cache_dir: str) -> Task:
    """The shipped split, 1,600 to 400, features scaled by the minimum and maximum of train.

    The protocol reports the last epoch and chooses nothing, so `validation` is 160 examples that are in train too:
    good to watch, not to choose by; none of the project's protocols allows that. The authors' code scales test by
    test's own minimum and maximum; here train's serve both.

    Source: Han et al. 2021, Trusted Multi-View Classification, and its code's data.py.
    """
    from sklearn.model_selection import train_test_split

    identity, features = f"handwritten-{VERSION}", tuple(RECIPE.dataset.features)
    rows = load_columns(make_builder, identity, features, SOURCES, data_dir, cache_dir).splits
    train = rows["train"]
    places = np.arange(len(train["label"]))
    _, watched = train_test_split(places, test_size=MONITOR, stratify=train["label"], random_state=SEED)
    rows["validation"] = {name: values[np.sort(watched)] for name, values in train.items()}
    task = make_task("handwritten/tmc", TMC, ("official", 0), rows, source=RECIPE.source)
    return dataclasses.replace(task, warnings=cleaning_report(task).warnings)
