"""Six views of 2,000 handwritten digits, as TFDS prepares them: raw values, the shipped split."""

import numpy as np
import tensorflow_datasets as tfds

from mmjax.data import sources
from mmjax.data.handwritten import views


class Builder(tfds.core.GeneratorBasedBuilder):
    """Builder of `handwritten`; rows keep the order of the raw file."""

    VERSION = tfds.core.Version(views.VERSION)
    RELEASE_NOTES = {"1.0.0": "Six raw views and the label, split 1,600 to 400 as shipped with TMC's code."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"Put {views.FILE} from {views.REPOSITORY} there, or let it be downloaded."

    def __init__(self, *, file_format: str = "array_record", **kwargs):
        super().__init__(file_format=file_format, **kwargs)  # TFDS's own default needs TensorFlow

    def _info(self) -> tfds.core.DatasetInfo:
        vectors = {name: tfds.features.Tensor(shape=(width,), dtype=np.float32) for name, width in views.VIEWS.items()}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {**vectors, "label": tfds.features.ClassLabel(num_classes=views.CLASSES)}
            ),
            homepage="https://archive.ics.uci.edu/dataset/72/multiple+features",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        paths = sources.fetch(dl_manager, views.SOURCES)
        return {split: self._generate_examples(rows) for split, rows in views.read_views(paths[views.FILE]).items()}

    def _generate_examples(self, rows):
        for index in range(len(rows["label"])):
            yield index, {name: column[index] for name, column in rows.items()}
