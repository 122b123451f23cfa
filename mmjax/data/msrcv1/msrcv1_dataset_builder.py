"""Five descriptions of 210 photographs of 7 kinds of object, as TFDS prepares them: raw values, in the file's order."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.msrcv1.task import RECIPE


class Builder(TableBuilder):
    """Builder of `msrcv1`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "The raw views and the class."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put MSRC-v5.mat from https://github.com/ChuanbinZhang/Multi-view-datasets there, or let it be downloaded."
    )
    DATASET = RECIPE.dataset
