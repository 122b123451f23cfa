"""Actions of eight people, as TFDS prepares them."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.utd_mhad.task import RECIPE


class Builder(TableBuilder):
    """Builder of `utd_mhad`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Depth, skeleton and inertial sequences, split by person."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put utd_mhad.npz, or the folders Depth, Inertial and Skeleton, there (see README.md)."
    )
    DATASET = RECIPE.dataset
