"""The raw file of `handwritten`: six views of 2,000 digits, split 1,600 to 400."""

from pathlib import Path

import numpy as np

from mmjax.data.sources import Source, reading
from mmjax.errors import InputError

VERSION = "1.0.0"  # of the prepared data
CLASSES = 10
# Features of each view, in the file's order x1 ... x6; the names are the UCI data set's.
VIEWS = {"pixel": 240, "fourier": 76, "profile": 216, "zernike": 47, "karhunen": 64, "morph": 6}
SPLITS = ("train", "test")

REPOSITORY = "https://github.com/hanmenghan/TMC"
COMMIT = "08d0ca4c4461b6de1cf73514d8c621598bc2b504"
FILE = "handwritten_6views.mat"
SOURCES = (
    Source(
        folder="handwritten",
        file=FILE,
        url=f"https://raw.githubusercontent.com/hanmenghan/TMC/{COMMIT}/TMC%20ICLR/datasets/{FILE}",
        origin=f"{REPOSITORY} (TMC ICLR/datasets)",
    ),
)


def read_views(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """split -> view -> float32 [n, features], and "label" -> int64 [n] in 0..9.

    Raises:
      InputError: if the file cannot be read, lacks a field, or holds a value that is not finite or no class.
    """
    import scipy.io

    with reading(path):
        contents = scipy.io.loadmat(path)
    return {split: _read_split(path, contents, split) for split in SPLITS}


def _read_split(path: Path, contents: dict, split: str) -> dict[str, np.ndarray]:
    labels = _field(path, contents, f"gt_{split}", 1)[:, 0]
    arrays = {}
    for index, (view, width) in enumerate(VIEWS.items(), start=1):
        name = f"x{index}_{split}"
        arrays[view] = _field(path, contents, name, width).astype(np.float32)
        if len(arrays[view]) != len(labels):
            raise InputError(
                f"{path}: {name} has {len(arrays[view])} rows and gt_{split} {len(labels)}; get the file again"
            )
    wrong = (labels < 1) | (labels > CLASSES) | (labels != np.round(labels))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"{path}: gt_{split}, row {row} is {labels[row]:g}; accepted are classes 1 to {CLASSES}")
    return {**arrays, "label": labels.astype(np.int64) - 1}


def _field(path: Path, contents: dict, name: str, width: int) -> np.ndarray:
    """A matrix [n, width] of finite numbers."""
    values = contents.get(name)
    if values is None:
        raise InputError(f"{path} has no field {name!r}; get {FILE} from {REPOSITORY}")
    if values.dtype.kind not in "biuf" or values.ndim != 2 or values.shape[1] != width or not len(values):
        raise InputError(f"{path}: {name} is {values.dtype} {values.shape}, and must be numbers of shape (n, {width})")
    finite = np.isfinite(values)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        raise InputError(f"{path}: {name}, row {row}, column {column} is {values[row, column]}; values must be finite")
    return values
