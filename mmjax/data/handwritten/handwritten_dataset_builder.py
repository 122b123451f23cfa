"""Six views of 2,000 handwritten digits, as TFDS prepares them: raw values, the shipped split, in the file's order."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.handwritten.task import RECIPE
from mmjax.data.handwritten.views import FILE, REPOSITORY


class Builder(TableBuilder):
    """Builder of `handwritten`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Six raw views and the label, split 1,600 to 400 as shipped with TMC's code."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"Put {FILE} from {REPOSITORY} there, or let it be downloaded."
    DATASET = RECIPE.dataset
