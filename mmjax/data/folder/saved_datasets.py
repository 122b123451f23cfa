"""Hugging Face data sets that were saved to disk; nothing of them is run."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError, unknown_name

MARKS = ("dataset_info.json", "dataset_dict.json")
SPLITS = {"train": "train", "validation": "validation", "valid": "validation", "dev": "validation", "test": "test"}


def is_saved(path: Path) -> bool:
    """Whether a folder is one."""
    return path.is_dir() and any((path / mark).is_file() for mark in MARKS)


class SavedDataset:
    """Columns of a saved data set, its splits under each other."""

    def __init__(self, path: Path):
        import datasets

        self.path = path
        with reading(path, own=True):
            loaded = datasets.load_from_disk(str(path))
            parts = loaded if isinstance(loaded, datasets.DatasetDict) else {"": loaded}
            for split in parts:
                if split and split not in SPLITS:
                    raise InputError(f"{path}: {unknown_name('split', split, SPLITS)}")
            # Sound and pictures are taken as bytes and read where those of files are.
            self.tables = {SPLITS.get(split, ""): _undecoded(part, datasets) for split, part in parts.items()}
        self.split = np.repeat(list(self.tables), [len(part) for part in self.tables.values()]).astype(object)

    def values(self, column: str) -> list:
        """Every row's value, in plain Python; a picture or sound as its bytes.

        Raises:
          InputError: if there is no such column.
        """
        found = []
        for part in self.tables.values():
            if column not in part.column_names:
                raise InputError(f"{self.path}: {unknown_name('column', column, part.column_names)}")
            names = getattr(part.features[column], "names", None)
            for value in part[column]:
                if isinstance(value, dict) and "bytes" in value:
                    value = value["bytes"] if value["bytes"] is not None else _kept(self.path, value["path"])
                found.append(names[value] if names and value is not None and value >= 0 else value)
        return found


@functools.lru_cache(maxsize=4)
def read_saved(path: Path) -> SavedDataset:
    """A saved data set.

    Raises:
      InputError: if it is broken, or has splits of other names.
    """
    return SavedDataset(path)


def _undecoded(part, datasets):
    for name, feature in part.features.items():
        if isinstance(feature, datasets.Image | datasets.Audio):
            part = part.cast_column(name, type(feature)(decode=False))
    return part


def _kept(path: Path, file: str | None):
    if file is None:
        return None
    raise InputError(f"{path} names the file {file!r} instead of holding it; save the data set with its files embedded")
