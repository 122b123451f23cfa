"""Pupils of a learning platform, as TFDS prepares them: every column of the file."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.xapi.task import RECIPE


class Builder(TableBuilder):
    """Builder of `xapi`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Every column of the first 480 rows."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put xAPI-Edu-Data.csv from https://github.com/NicholasTanYuZhe/Students-Academic-Performance "
        "there, or let it be downloaded."
    )
    DATASET = RECIPE.dataset
