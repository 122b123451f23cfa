"""Pedestrians at the roadside, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.jaad_crossing.task import RECIPE


class Builder(TableBuilder):
    """Builder of `jaad_crossing`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Annotated windows before a crossing, split by video."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put jaad_crossing.npz there (see README.md)."
    DATASET = RECIPE.dataset
