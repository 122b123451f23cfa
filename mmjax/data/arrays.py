"""Files of arrays: matrices in CSV and archives of NumPy, read whole and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError

# What an array may hold, by a word -> dtype kinds.
KINDS = {"numbers": "biuf", "whole numbers": "biu", "strings": "U"}


def read_matrix(path: Path, columns: int, rows: int | None = None) -> np.ndarray:
    """A CSV file without a heading, float64 [rows, columns].

    Raises:
      InputError: if it cannot be read, has another shape, or holds a number that is not finite.
    """
    with reading(path):
        values = np.loadtxt(path, delimiter=",", ndmin=2, encoding="utf-8-sig")
    if values.shape[1] != columns or not len(values) or (rows is not None and len(values) != rows):
        wanted = "n" if rows is None else rows
        raise InputError(f"{path}: holds {values.shape} numbers, and must hold ({wanted}, {columns}); get it again")
    if not np.isfinite(values).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise InputError(f"{path}: line {row + 1}, column {column + 1} is {values[row, column]}; values must be finite")
    return values


def read_archive(path: Path, fields: Mapping[str, tuple], nan: tuple[str, ...] = ()) -> dict[str, np.ndarray]:
    """Arrays of an npz file.

    Args:
      path: the file.
      fields: name -> (one of KINDS, *shape); "n" in a shape stands for one number, the same in all fields, and None
        for any.
      nan: fields that may hold NaN, for what is missing.

    Raises:
      InputError: if it cannot be read, lacks a field, or one is of another kind or shape, or not finite.
    """
    arrays = {}
    with reading(path), np.load(path, allow_pickle=False) as archive:
        for name in fields:
            if name not in archive.files:
                raise InputError(f"{path} has no array {name!r}; get it again from its source")
            arrays[name] = archive[name]
    n = next((arrays[name].shape[0] for name, (_, *shape) in fields.items() if shape and shape[0] == "n"), None)
    for name, (kind, *shape) in fields.items():
        array, wanted = arrays[name], [n if size == "n" else size for size in shape]
        fits = array.ndim == len(wanted) and all(w in (None, size) for w, size in zip(wanted, array.shape, strict=True))
        if not fits or array.dtype.kind not in KINDS[kind]:
            words = ", ".join("any" if size is None else str(size) for size in wanted)
            raise InputError(f"{path}: {name} is {array.dtype} {array.shape}, and must be {kind} of shape ({words})")
        if array.dtype.kind == "f" and name not in nan and not np.isfinite(array).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise InputError(f"{path}: {name}{list(place)} is {array[place]}; values must be finite")
    if n == 0:
        raise InputError(f"{path} holds no example; get it again from its source")
    return arrays


def check_codes(path: Path, name: str, values: np.ndarray, count: int) -> np.ndarray:
    """Codes 0 ... count - 1, as int64.

    Raises:
      InputError: naming the first row that holds another.
    """
    wrong = (values < 0) | (values >= count)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"{path}: {name}, row {row} is {values[row]}; accepted are 0 to {count - 1}")
    return values.astype(np.int64)


def strings_of(values: np.ndarray) -> np.ndarray:
    """[n] strings as objects."""
    return np.array([str(value) for value in values] + [None], object)[:-1]


def unpack_strings(path: Path, name: str, content: np.ndarray, offsets: np.ndarray) -> list[str]:
    """Strings from their UTF-8 bytes, one after the other, and where each begins.

    Raises:
      InputError: if the offsets do not rise from 0 to the end, or the bytes are no UTF-8.
    """
    if offsets[0] != 0 or offsets[-1] != len(content) or (np.diff(offsets) < 0).any():
        raise InputError(f"{path}: the offsets of {name} do not rise from 0 to {len(content)}; get it again")
    data = content.astype(np.uint8).tobytes()
    with reading(path):
        return [data[a:b].decode("utf-8") for a, b in zip(offsets[:-1], offsets[1:], strict=True)]


def by_split(columns: Mapping[str, np.ndarray], codes: np.ndarray) -> dict[str, dict[str, np.ndarray]]:
    """Rows under the split that 0 (train), 1 (validation) or 2 (test) says; a split without rows is left out."""
    splits = {}
    for code, split in enumerate(("train", "validation", "test")):
        chosen = np.flatnonzero(codes == code)
        if len(chosen):
            splits[split] = {name: values[chosen] for name, values in columns.items()}
    return splits
