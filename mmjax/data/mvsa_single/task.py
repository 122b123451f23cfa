"""`mvsa_single`: how a tweet feels, from its picture and its text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmjax.data.arrays import by_split, check_codes, read_archive, strings_of
from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout, Text
from mmjax.data.mvsa_single import upstream
from mmjax.data.mvsa_single.upstream import FEELINGS, REPOSITORY, SIDE
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source
from mmjax.data.transforms.image import Normalise
from mmjax.data.transforms.tabular import Scale
from mmjax.data.transforms.text import Clean, TfIdf, Tokens

FILE = "mvsa_single.npz"
SOURCES = (Source("mvsa_single", FILE, "", f"{REPOSITORY} (see mvsa_single/README.md)"),)
CHANNELS = 3
FIELDS = {
    "image": ("whole numbers", "n", SIDE, SIDE, CHANNELS),
    "text": ("strings", "n"),
    "label": ("whole numbers", "n"),
    "split": ("whole numbers", "n"),
}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...].

    Raises:
      InputError: if the file is broken or lacks an array.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS)
    columns = {
        "image": raw["image"],
        "text": strings_of(raw["text"]),
        "label": check_codes(path, "label", raw["label"], len(FEELINGS)),
    }
    return by_split(columns, check_codes(path, "split", raw["split"], 3))


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.mvsa_single.mvsa_single_dataset_builder import Builder

    return Builder(data_dir=data_dir)


IMAGE = Modality("image", ("image",), (Normalise(),))
TARGET = Target("multiclass", "label", FEELINGS)

RECIPE = Recipe(
    dataset=Dataset(
        name="mvsa_single",
        version="1.0.0",
        features={"image": Array((SIDE, SIDE, CHANNELS), "uint8"), "text": Text(), "label": Label(FEELINGS)},
        layouts=(Layout(SOURCES, read), Layout(upstream.SOURCES, upstream.read_upstream)),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="how a tweet feels, from its picture and weighted terms of its text; MVSA-Single",
            modalities={
                "image": IMAGE,
                "text": Modality("vector", ("text",), (Clean(), TfIdf(features=5_000, components=128), Scale())),
            },
            target=TARGET,
            tags=("full",),
        ),
        "words": Variant(
            summary="the same from the text's words in their order",
            modalities={"image": IMAGE, "text": Modality("tokens", ("text",), (Clean(), Tokens(length=32)))},
            target=TARGET,
        ),
    },
    source="MVSA-Single (Niu et al. 2016)",
    tags=("affect",),
    protocols=("official", "random_80_20"),
    groups="text",
)
