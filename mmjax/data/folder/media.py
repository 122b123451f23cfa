"""Which files are pictures and which sounds, and which of them belongs to which example."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from mmjax.errors import InputError

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SOUNDS = (".wav", ".flac", ".ogg")
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")


def names_by_key(path: Path, names: Iterable[str], keys: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """[n] name of each key's file, "" where it has none; and warnings.

    A file belongs to the key that is its path below the folder without the ending, or its name alone where no other
    file has it.

    Args:
      path: of the folder, for complaints.
      names: of files, as paths below it.
      keys: of the examples.

    Raises:
      InputError: if two files could be one key's, or no file is any key's.
    """
    names = sorted(names)
    whole, stems = defaultdict(list), defaultdict(list)
    for name in names:
        whole[_without_ending(name)].append(name)
        stems[PurePosixPath(name).stem].append(name)
    found = np.full(len(keys), "", object)
    for row, key in enumerate(keys):
        its = [key] if key in whole.get(_without_ending(key), ()) else whole.get(key) or stems.get(key)
        if its and len(its) > 1:
            raise InputError(
                f"{path}: {its[0]} and {its[1]} may both be the file of {key!r}; keep one, name a folder that holds "
                "one a key, or say `names` and `column`"
            )
        found[row] = its[0] if its else ""
    if not any(found) and len(keys):
        raise InputError(
            f"{path}: no file is named as a row's id: ids are as {keys[0]!r}, files as {names[0]!r}; give both the "
            "same case and zeros, or say `names: <table>` and `column: <of file names>`"
        )
    unused = sorted(set(names) - set(found))
    told = [f"{len(unused):,} of {len(names):,} files belong to no row, as {unused[0]}"] if unused else []
    return found, told


def _without_ending(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.name else name  # `.` and `/` have no name


def names_in_order(path: Path, names: Iterable[str], complaint: str) -> np.ndarray:
    """[n] names in the order of their numbers, where it is plain that this is the order of the rows.

    Args:
      path: of the folder, for complaints.
      names: of files, as paths below it.
      complaint: where task.yaml names the folder.

    Raises:
      InputError: if the names are anything but a running number from 0 or 1, with the same words around it.
    """
    numbers = {}
    for name in sorted(names):
        match = _NUMBERED.fullmatch(PurePosixPath(name).stem)
        around = (str(PurePosixPath(name).parent), match[1], match[3]) if match else (name,)
        numbers.setdefault(around, []).append((int(match[2]) if match else 0, name))
    (found, *others) = numbers.values()
    found.sort()
    first = found[0][0]
    if others or first > 1 or [number for number, _ in found] != list(range(first, first + len(found))):
        shown = ", ".join([name for each in numbers.values() for _, name in each[:3]][:3])
        raise InputError(
            f"{complaint}: the files of {path} ({shown}, ...) are no running number from 0 or 1, so which belongs "
            "to which row is a guess; say `id`, or `names: <table>` and `column: <of file names>`"
        )
    return np.array([*(name for _, name in found), None], object)[:-1]
