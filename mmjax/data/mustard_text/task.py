"""`mustard_text`: sarcastic or meant, from a line, what came before, and who says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import check_codes, read_archive, strings_of
from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout, Text
from mmjax.data.mustard_text import upstream
from mmjax.data.mustard_text.upstream import REPOSITORY
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source
from mmjax.data.transforms.tabular import OneHot, Scale
from mmjax.data.transforms.text import Clean, TfIdf, Tokens

FILE = "mustard_text.npz"
SOURCES = (Source("mustard_text", FILE, "", f"{REPOSITORY} (see mustard_text/README.md)"),)
FOLDS = 5
TEXTS = ("utterance", "context", "speaker", "show")
FIELDS = {name: ("strings", "n") for name in TEXTS} | {"label": ("whole numbers", "n"), "fold": ("whole numbers", "n")}
MEANT = ("sincere", "sarcastic")


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """ "train" -> column -> [n].

    Raises:
      InputError: if the file is broken or lacks an array.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS)
    columns = {name: strings_of(raw[name]) for name in TEXTS}
    columns["fold"] = check_codes(path, "fold", raw["fold"], FOLDS)
    columns["label"] = check_codes(path, "label", raw["label"], 2)
    columns["has_context"] = np.array([bool(text.strip()) for text in columns["context"]])
    return {"train": columns}


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.mustard_text.mustard_text_dataset_builder import Builder

    return Builder(data_dir=data_dir)


SPEAKER = Modality("vector", ("speaker",), (OneHot(least=3, unseen="own"),))
TARGET = Target("binary", "label", MEANT)
TERMS = (Clean(), TfIdf(features=2_000, grams=(1, 2), components=64), Scale())
WORDS = (Clean(), Tokens())

RECIPE = Recipe(
    dataset=Dataset(
        name="mustard_text",
        version="1.0.0",
        features={name: Text() for name in TEXTS}
        | {"fold": Array((), "int64"), "has_context": Array((), "bool"), "label": Label(MEANT)},
        layouts=(Layout(SOURCES, read), Layout(upstream.SOURCES, upstream.read_upstream)),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            summary="whether a line is sarcastic, from terms of it and of its context, and the speaker; MUStARD",
            modalities={
                "utterance": Modality("vector", ("utterance",), TERMS),
                "context": Modality("vector", ("context",), TERMS, present="has_context"),
                "speaker": SPEAKER,
            },
            target=TARGET,
            protocol="fold",
            tags=("full",),
        ),
        "words": Variant(
            summary="the same from the words in their order",
            modalities={
                "utterance": Modality("tokens", ("utterance",), WORDS),
                "context": Modality("tokens", ("context",), WORDS, present="has_context"),
                "speaker": SPEAKER,
            },
            target=TARGET,
            protocol="fold",
        ),
    },
    source="MUStARD, text alone (Castro et al. 2019)",
    tags=("affect",),
    protocols=("fold", "random_80_20"),
    folds="fold",
)
