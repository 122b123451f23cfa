"""`mosi`: whether an utterance is positive, from itself, its words, or its video so far."""

from mmjax.data.dataset import Array, Dataset, Label, Layout, Text
from mmjax.data.mosi.raw import CONTEXT, FEATURES, REPOSITORY, SOURCES, read
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.transforms.tabular import Scale
from mmjax.data.transforms.text import Clean, Tokens

SENTIMENTS = ("negative", "positive")
TARGET = Target("binary", "label", SENTIMENTS)
SCALE = Scale(clip=10.0)
# A linear model of them has 0.98 (text) and 0.95 (video) of validation right, and 0.75 and 0.53 of test.
CONTAMINATED = "the published features of {} were trained with the labels of train and of validation"
ALONE = {name: Modality("vector", (name,), (SCALE,)) for name in FEATURES}


def make_builder(data_dir: str):
    """The TFDS builder."""
    from mmjax.data.mosi.mosi_dataset_builder import Builder

    return Builder(data_dir=data_dir)


RECIPE = Recipe(
    dataset=Dataset(
        name="mosi",
        version="1.0.0",
        features={name: Array((width,)) for name, width in FEATURES.items()}
        | {f"{name}_context": Array((CONTEXT, width)) for name, width in FEATURES.items()}
        | {
            "context_length": Array((), "int32"),
            "transcript": Text(),
            "video_id": Text(),
            "label": Label(SENTIMENTS),
        },
        layouts=(Layout(SOURCES, read),),
        homepage=REPOSITORY,
    ),
    make_builder=make_builder,
    variants={
        "": Variant(
            "whether an utterance is positive, from text, audio and video; CMU-MOSI",
            ALONE,
            TARGET,
            tags=("full",),
            contaminated=CONTAMINATED.format("text and video"),
        ),
        "dialogue": Variant(
            "the same from the video's utterances up to this one",
            {name: Modality("sequence", (f"{name}_context",), (SCALE,), lengths="context_length") for name in FEATURES},
            TARGET,
            contaminated=CONTAMINATED.format("text and video"),
        ),
        "words": Variant(
            "the same from the transcript's words, with audio and video",
            ALONE | {"text": Modality("tokens", ("transcript",), (Clean(), Tokens()))},
            TARGET,
            contaminated=CONTAMINATED.format("video"),
        ),
    },
    source="CMU-MOSI, features and split of Poria et al. 2017",
    tags=("affect",),
    protocols=("official",),
    groups="video_id",
)
