"""Three descriptions of 1,600 leaves of 100 plant species, as TFDS prepares them: raw values, in the file's order."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.leaves100.task import RECIPE


class Builder(TableBuilder):
    """Builder of `leaves100`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "The raw views and the class."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put 100Leaves.mat from https://github.com/ChuanbinZhang/Multi-view-datasets there, or let it be downloaded."
    )
    DATASET = RECIPE.dataset
