"""`covid_cxr`: COVID-19 or another finding, from an X-ray, a table and masked notes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import check_codes, read_archive, strings_of
from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout, Text
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source
from mmjax.data.transforms.image import Channels, Normalise, Resize
from mmjax.data.transforms.tabular import Impute, Scale
from mmjax.data.transforms.text import Clean, TfIdf, Tokens

REPOSITORY = "https://github.com/GeneralBlockchain/covid-19-chest-xray-lung-bounding-boxes-dataset"
FILE = "covid_cxr.npz"
SOURCES = (Source("covid_cxr", FILE, "", f"{REPOSITORY} (see covid_cxr/README.md)"),)
SIDE, FIGURES, FOLDS = 128, 7, 5
FINDINGS = ("other", "covid")
FIELDS = {
    "image": ("whole numbers", "n", SIDE, SIDE),
    "tabular": ("numbers", "n", FIGURES),
    "notes_masked": ("strings", "n"),
    "label": ("whole numbers", "n"),
    "patient": ("strings", "n"),
    "fold": ("whole numbers", "n"),
}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """ "train" -> column -> [n, ...]; NaN in `table` is what is not known.

    Raises:
      InputError: if the file is broken or lacks an array.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS, nan=("tabular",))
    notes = strings_of(raw["notes_masked"])
    return {
        "train": {
            "image": raw["image"],
            "table": raw["tabular"].astype(np.float32),
            "notes": notes,
            "has_notes": np.array([bool(text.strip()) for text in notes]),
            "patient": strings_of(raw["patient"]),
            "fold": check_codes(path, "fold", raw["fold"], FOLDS),
            "label": check_codes(path, "label", raw["label"], 2),
        }
    }


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.covid_cxr.covid_cxr_dataset_builder import Builder

    return Builder(data_dir=data_dir)


IMAGE = Modality("image", ("image",), (Channels(), Resize(32, 32), Normalise()))
TABLE = Modality("vector", ("table",), (Impute(), Scale()))
TARGET = Target("binary", "label", FINDINGS)

RECIPE = Recipe(
    dataset=Dataset(
        name="covid_cxr",
        version="1.0.0",
        features={
            "image": Array((SIDE, SIDE), "uint8"),
            "table": Array((FIGURES,), doc="age, sex, temperature, pO2, view; NaN where not known"),
            "notes": Text(),
            "has_notes": Array((), "bool"),
            "patient": Text(),
            "fold": Array((), "int64"),
            "label": Label(FINDINGS),
        },
        layouts=(Layout(SOURCES, read),),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="COVID-19 or another finding, from an X-ray, a table and notes; small and confounded",
            modalities={
                "image": IMAGE,
                "table": TABLE,
                "notes": Modality("vector", ("notes",), (Clean(), TfIdf(components=64), Scale()), present="has_notes"),
            },
            target=TARGET,
            protocol="fold",
            tags=("full",),
        ),
        "words": Variant(
            summary="the same from the notes' words in their order",
            modalities={
                "image": IMAGE,
                "table": TABLE,
                "notes": Modality("tokens", ("notes",), (Clean(), Tokens(length=128)), present="has_notes"),
            },
            target=TARGET,
            protocol="fold",
        ),
    },
    source="COVID-19 image data collection (Cohen et al. 2020), a copy of August 2020",
    tags=("medicine",),
    protocols=("fold", "random_80_20"),
    groups="patient",
    folds="fold",
)
