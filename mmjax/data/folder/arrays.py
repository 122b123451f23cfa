"""Arrays of NumPy's files, whose headings are checked before a byte of them is believed."""

from __future__ import annotations

import io
import math
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import LISTED, InputError, unknown_name

SUFFIXES = (".npz", ".npy")


def is_arrays(path: Path) -> bool:
    """Whether a file's name ends as that of arrays, in either case."""
    return path.suffix.lower() in SUFFIXES


def read_array(path: Path, name: str = "") -> np.ndarray:
    """An array of a .npy file, or one by name of a .npz.

    Raises:
      InputError: if the file is broken, lacks the array, holds Python objects, or declares more than it holds.
    """
    if path.suffix.lower() == ".npy":
        return _load(path, path.name, path.read_bytes())
    with reading(path, own=True), zipfile.ZipFile(path) as archive:
        names = [member.removesuffix(".npy") for member in archive.namelist()]
        twice = [each for each, count in Counter(names).items() if count > 1]
        if twice:
            raise InputError(f"{path}: array {twice[0]!r} is there twice; keep one")
        if not names:
            raise InputError(f"{path} holds no array; save at least one")
        if not name:
            told = f"arrays {', '.join(names)}" if len(names) <= LISTED else f"{len(names):,} arrays"
            raise InputError(f"{path} holds {told}; say in task.yaml which: `array: {names[0]}`")
        if name not in names:
            raise InputError(f"{path}: {unknown_name('array', name, names)}")
        return _load(path, name, archive.read(f"{name}.npy"))


def names_of(path: Path) -> list[str]:
    """Names of the arrays of a .npz file."""
    with reading(path, own=True), zipfile.ZipFile(path) as archive:
        return [member.removesuffix(".npy") for member in archive.namelist()]


def _load(path: Path, name: str, content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    with reading(path, own=True):
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    if dtype.hasobject:
        raise InputError(f"{path}: {name} holds Python objects, which are never loaded; save numbers or strings")
    declared, held = math.prod(shape) * dtype.itemsize, len(content) - file.tell()
    if declared != held:
        raise InputError(
            f"{path}: {name} declares {shape} of {dtype}, {declared:,} bytes, and holds {held:,}; save it again"
        )
    if not shape or not shape[0]:
        raise InputError(f"{path}: {name} is {shape}, and must have an example a row, one at least")
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order=_order(content))


def _order(content: bytes) -> str:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return "F" if read(file)[1] else "C"
