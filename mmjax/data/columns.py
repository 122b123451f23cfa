"""Prepared data as columns: one memory-mapped array a feature and split.

TFDS stores a row at a time, and decoding 70,000 rows of 7 kB takes about 6 s. So once TFDS
has prepared a data set it is written out again as .npy files, which map at once.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmjax.data.build import built
from mmjax.data.cache import made
from mmjax.data.check import fingerprint
from mmjax.data.code import code_of_data
from mmjax.data.sources import Source, digest, find

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

    Prepared data are kept by the contents of the raw files and by the code, so neither meets an old cache.

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
    key = f"{identity}-{digest(paths) if paths else 'downloads'}-{code_of_data()}"
    cache = Path(cache_dir).expanduser()
    folder = cache / "columns" / key

    def write(beside: Path):
        _write(built(make_builder, key, data_dir, cache), features, beside)

    made(folder, write)
    splits = {
        split.name: {path.stem: np.asarray(np.load(path, mmap_mode="r")) for path in sorted(split.glob("*.npy"))}
        for split in sorted(folder.iterdir())
        if split.is_dir()
    }
    return Columns(splits, (folder / FINGERPRINT).read_text())


def _write(builder, features: Sequence[str], folder: Path) -> None:
    arrays = []
    for split in sorted(builder.info.splits):
        (folder / split).mkdir()
        written = _write_split(builder, split, features, folder / split)
        arrays += [(f"{split}/{name}", array) for name, array in written.items()]
    (folder / FINGERPRINT).write_text(fingerprint(arrays))


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
