"""Prices and tweets of stocks, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.stocknet.task import RECIPE


class Builder(TableBuilder):
    """Builder of `stocknet`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Prices and documents of the days before, and the movement."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put stocknet.npz and stocknet_text.npz there (see README.md)."
    DATASET = RECIPE.dataset
