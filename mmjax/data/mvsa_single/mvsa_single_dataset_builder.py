"""Tweets of a picture and a text, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.mvsa_single.task import RECIPE


class Builder(TableBuilder):
    """Builder of `mvsa_single`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Picture, text and sentiment, split as in the file."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put mvsa_single.npz there (see README.md)."
    DATASET = RECIPE.dataset
