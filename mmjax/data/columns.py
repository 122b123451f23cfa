"""Prepared data as columns: one memory-mapped array a feature and split.

TFDS stores a row at a time, and decoding 70,000 rows of 7 kB takes about 6 s. So once TFDS
has prepared a data set it is written out again as .npy files, which map at once.
"""

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmjax.data.check import fingerprint
from mmjax.data.sources import Source, digest, find
from mmjax.errors import InputError

CHUNK = 4096  # rows decoded at once
FINGERPRINT = "fingerprint.txt"


class Columns(NamedTuple):
    """split -> feature -> array [n, ...], read-only, and the fingerprint of them all."""

    splits: dict[str, dict[str, np.ndarray]]
    fingerprint: str


def load_columns(
    make_builder: Callable[[str], object],
    identity: str,
    features: Sequence[str],
    sources: Sequence[Source],
    data_dir: str | None,
    cache_dir: str,
) -> Columns:
    """The columns of a TFDS data set, which is prepared when it is not yet.

    Prepared data are kept by the contents of the raw files, so other files never meet an
    old cache. Everything is written beside its place and renamed: there is no half of it.

    Args:
      make_builder: TFDS data_dir -> builder; called only when something is to be prepared.
      identity: name, config and version, as a folder's name.
      features: those of the data set to keep.
      sources: its raw files.
      data_dir: folder of the raw files; None downloads them.
      cache_dir: folder of downloads and prepared data.

    Raises:
      InputError: for missing or broken raw files, or a cache_dir that cannot be written.
    """
    paths = {} if data_dir is None else find(data_dir, sources)
    key = digest(paths) if paths else "downloads"
    cache = Path(cache_dir).expanduser()
    folder = cache / "columns" / f"{identity}-{key}"
    if not folder.is_dir():
        try:
            with _alone(folder):
                if not folder.is_dir():  # another process may have been faster
                    builder = make_builder(str(cache / "tfds" / key))
                    _prepare(builder, data_dir, str(cache / "downloads"))
                    _write(builder, features, folder)
        except OSError as error:
            raise InputError(
                f"cache folder {cache} cannot be written ({error}); name another in MMJAX_CACHE_DIR"
            ) from error
    splits = {
        split.name: {path.stem: np.asarray(np.load(path, mmap_mode="r")) for path in sorted(split.glob("*.npy"))}
        for split in sorted(folder.iterdir())
        if split.is_dir()
    }
    return Columns(splits, (folder / FINGERPRINT).read_text())


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder that is to be made, among processes."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(builder, data_dir: str | None, download_dir: str) -> None:
    import tensorflow_datasets as tfds

    config = tfds.download.DownloadConfig(manual_dir=data_dir)
    with contextlib.redirect_stdout(sys.stderr):  # a command's own output is its result alone
        builder.download_and_prepare(download_dir=download_dir, download_config=config)


def _write(builder, features: Sequence[str], folder: Path) -> None:
    beside = Path(tempfile.mkdtemp(prefix="incomplete.", dir=folder.parent))
    try:
        arrays = []
        for split in sorted(builder.info.splits):
            (beside / split).mkdir()
            written = _write_split(builder, split, features, beside / split)
            arrays += [(f"{split}/{name}", array) for name, array in written.items()]
        (beside / FINGERPRINT).write_text(fingerprint(arrays))
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_split(builder, split: str, features: Sequence[str], folder: Path) -> dict[str, np.ndarray]:
    rows = builder.as_data_source(split)
    specs = {name: builder.info.features[name] for name in features}
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", spec.np_dtype, (len(rows), *spec.shape))
        for name, spec in specs.items()
    }
    for start in range(0, len(rows), CHUNK):
        chunk = rows.__getitems__(range(start, min(start + CHUNK, len(rows))))
        for name, array in arrays.items():
            array[start : start + len(chunk)] = np.stack([row[name] for row in chunk])
    for array in arrays.values():
        array.flush()
    return arrays
