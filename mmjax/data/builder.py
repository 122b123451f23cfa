"""The TFDS builder of every data set that is described as a `Dataset`."""

import abc

import numpy as np
import tensorflow_datasets as tfds

from mmjax.data import sources
from mmjax.data.dataset import Array, Dataset, Feature, Label


class TableBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Prepares a data set row by row, in the order of its raw files. Subclasses say which data set it is."""

    def __init__(self, *, file_format: str = "array_record", **kwargs):
        super().__init__(file_format=file_format, **kwargs)  # TFDS's own default needs TensorFlow

    @property
    @abc.abstractmethod
    def DATASET(self) -> Dataset:  # noqa: N802, a class attribute of subclasses, as TFDS's VERSION is
        """The data set that is built."""

    def _info(self) -> tfds.core.DatasetInfo:
        features = {name: _feature(feature) for name, feature in self.DATASET.features.items()}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features), homepage=self.DATASET.homepage, disable_shuffling=True
        )

    def _split_generators(self, dl_manager):
        layout, paths = sources.fetch_layout(dl_manager, self.DATASET.layouts, self.url_infos)
        return {split: self._generate_examples(columns) for split, columns in layout.read(paths).items()}

    def _generate_examples(self, columns):
        names = list(self.DATASET.features)
        for index in range(len(columns[names[0]])):
            yield index, {name: columns[name][index] for name in names}


def _feature(feature: Feature):
    if isinstance(feature, Array):
        encoding = "bytes" if np.prod(feature.shape) > 64 else "none"  # many numbers are stored faster as one string
        return tfds.features.Tensor(
            shape=feature.shape, dtype=np.dtype(feature.dtype), encoding=encoding, doc=feature.doc
        )
    if isinstance(feature, Label):
        return tfds.features.ClassLabel(names=list(feature.names))
    return tfds.features.Text(doc=feature.doc)
