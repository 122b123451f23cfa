"""Lines of television series, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.mustard_text.task import RECIPE


class Builder(TableBuilder):
    """Builder of `mustard_text`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Line, context, speaker, sarcastic or not, and the authors' fold."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put mustard_text.npz there (see README.md)."
    DATASET = RECIPE.dataset
