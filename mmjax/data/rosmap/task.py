"""`rosmap` under the authors' split: three omics, Alzheimer's disease or not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import read_matrix
from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source
from mmjax.data.transforms.tabular import Scale
from mmjax.errors import InputError

REPOSITORY = "https://github.com/txWang/MOGONET"
URL = "https://raw.githubusercontent.com/txWang/MOGONET/32d9066b7fe289b3f7cdb496a5668834079c274c/ROSMAP"
OMICS = {"mrna": 1, "methylation": 2, "mirna": 3}  # and the number that each has in the files' names
FEATURES = 200
NAMES = ("control", "alzheimer")
SHORT = {"train": "tr", "test": "te"}
FILES = tuple(f"{stem}_{end}.csv" for stem in (*OMICS.values(), "labels") for end in SHORT.values())


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> omics -> float32 [n, 200], and "label" -> int64 [n].

    Raises:
      InputError: if a file is broken, holds no 200 finite numbers a row, or has not as many rows as the labels.
    """
    return {split: _read_split(paths, end) for split, end in SHORT.items()}


def _read_split(paths: Mapping[str, Path], end: str) -> Columns:
    path = paths[f"labels_{end}.csv"]
    labels = read_matrix(path, 1)[:, 0]
    wrong = ~np.isin(labels, (0, 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"{path}: line {row + 1} is {labels[row]:g}; accepted are 0 and 1")
    columns = {"label": labels.astype(np.int64)}
    for name, number in OMICS.items():
        columns[name] = read_matrix(paths[f"{number}_{end}.csv"], FEATURES, len(labels)).astype(np.float32)
    return columns


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.rosmap.rosmap_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = Recipe(
    dataset=Dataset(
        name="rosmap",
        version="1.0.0",
        features={name: Array((FEATURES,)) for name in OMICS} | {"label": Label(NAMES)},
        layouts=(
            Layout(tuple(Source("rosmap", file, f"{URL}/{file}", f"{REPOSITORY} (ROSMAP)") for file in FILES), read),
        ),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="Alzheimer's disease from mRNA, methylation and miRNA of a brain; ROSMAP as prepared for MOGONET",
            modalities={name: Modality("vector", (name,), (Scale(),)) for name in OMICS},
            target=Target("binary", "label", NAMES),
            tags=("full",),
        )
    },
    source="ROSMAP, as prepared by github.com/txWang/MOGONET",
    tags=("medicine",),
    protocols=("official", "random_80_20", "fold"),
)
