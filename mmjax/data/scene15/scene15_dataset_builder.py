"""Three views of 4,485 photographs, as TFDS prepares them: raw values, in the file's order."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.scene15.task import FILE, RECIPE, REPOSITORY


class Builder(TableBuilder):
    """Builder of `scene15`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Three raw views and the class."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"Put {FILE} from {REPOSITORY} there, or let it be downloaded."
    DATASET = RECIPE.dataset
