"""Utterances of opinion videos, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.mosi.task import RECIPE


class Builder(TableBuilder):
    """Builder of `mosi`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Features of utterances alone and with those before."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put mosi.npz there (see README.md)."
    DATASET = RECIPE.dataset
