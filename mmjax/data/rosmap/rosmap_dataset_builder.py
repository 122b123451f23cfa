"""Three omics of 351 brains, as TFDS prepares them: the authors' values and split."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.rosmap.task import RECIPE


class Builder(TableBuilder):
    """Builder of `rosmap`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "mRNA, methylation and miRNA with the diagnosis, split 245 to 106 as shipped."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put the folder ROSMAP of https://github.com/txWang/MOGONET there as rosmap, or let its files be downloaded."
    )
    DATASET = RECIPE.dataset
