"""Earnings calls, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.maec.task import RECIPE


class Builder(TableBuilder):
    """Builder of `maec`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Sound, text and prices of calls, and the volatility after."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put maec.npz and maec_text.npz there (see README.md)."
    DATASET = RECIPE.dataset
