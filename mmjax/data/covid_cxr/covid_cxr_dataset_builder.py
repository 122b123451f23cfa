"""Chest X-rays with notes, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.covid_cxr.task import RECIPE


class Builder(TableBuilder):
    """Builder of `covid_cxr`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "X-ray, table, masked notes, finding, patient and fold."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put covid_cxr.npz there (see README.md)."
    DATASET = RECIPE.dataset
