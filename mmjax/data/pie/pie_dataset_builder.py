"""Three descriptions of 680 photographs of 68 faces, as TFDS prepares them: raw values, in the file's order."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.pie.task import RECIPE


class Builder(TableBuilder):
    """Builder of `pie`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "The raw views and the class."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put PIE_face_10.mat from https://github.com/jiajunsi/RCML there, or let it be downloaded."
    )
    DATASET = RECIPE.dataset
