"""Pupils and their grades, as TFDS prepares them: every column of the two files."""

import tensorflow_datasets as tfds

from mmjax.data.builder import TableBuilder
from mmjax.data.student.task import RECIPE


class Builder(TableBuilder):
    """Builder of `student`."""

    VERSION = tfds.core.Version(RECIPE.dataset.version)
    RELEASE_NOTES = {"1.0.0": "Every column of both files, and which course it is."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put student-mat.csv and student-por.csv from https://github.com/arunk13/MSDA-Assignments "
        "there, or let them be downloaded."
    )
    DATASET = RECIPE.dataset
