"""`jaad_crossing` under the authors' split by video."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import by_split, check_codes, read_archive, strings_of
from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout, Text
from mmjax.data.jaad_crossing import upstream
from mmjax.data.jaad_crossing.upstream import FRAMES, REPOSITORY
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source
from mmjax.data.transforms.tabular import Scale

FILE = "jaad_crossing.npz"
SOURCES = (Source("jaad_crossing", FILE, "", f"{REPOSITORY} (see jaad_crossing/README.md)"),)
SEQUENCES = {"trajectory": 4, "behaviour": 8, "vehicle": 5, "traffic": 6, "appearance": 25}
SCENE = 22
STAYS = ("stays", "crosses")
FIELDS = {name: ("numbers", "n", FRAMES, width) for name, width in SEQUENCES.items()} | {
    "scene": ("numbers", "n", SCENE),
    "label": ("whole numbers", "n"),
    "split": ("whole numbers", "n"),
    "video": ("strings", "n"),
    "pedestrian": ("strings", "n"),
}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...].

    Raises:
      InputError: if the file is broken or lacks an array.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS)
    columns = {name: raw[name].astype(np.float32) for name in (*SEQUENCES, "scene")}
    columns |= {name: strings_of(raw[name]) for name in ("video", "pedestrian")}
    columns["label"] = check_codes(path, "label", raw["label"], 2)
    return by_split(columns, check_codes(path, "split", raw["split"], 3))


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.jaad_crossing.jaad_crossing_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = Recipe(
    dataset=Dataset(
        name="jaad_crossing",
        version="1.0.0",
        features={name: Array((FRAMES, width)) for name, width in SEQUENCES.items()}
        | {"scene": Array((SCENE,)), "video": Text(), "pedestrian": Text(), "label": Label(STAYS)},
        layouts=(Layout(SOURCES, read), Layout(upstream.SOURCES, upstream.read_upstream)),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="whether a pedestrian is about to cross, from box, behaviour, car, traffic, looks and scene; JAAD",
            modalities={name: Modality("sequence", (name,), (Scale(clip=5.0),)) for name in SEQUENCES}
            | {"scene": Modality("vector", ("scene",), (Scale(clip=5.0),))},
            target=Target("binary", "label", STAYS),
            tags=("full",),
        )
    },
    source="JAAD annotations, protocol of Kotseruba et al. 2021",
    tags=("driving",),
    protocols=("official", "random_80_20"),
    groups="pedestrian",
)
