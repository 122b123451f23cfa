"""What the columns of a table may be for, told by their names and cells: a guess that a person corrects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import NamedTuple

from mmjax.data.folder import media
from mmjax.data.folder.labels import exact_number
from mmjax.data.folder.saved_datasets import SPLITS
from mmjax.data.transforms.text import UNSPACED

TARGETS = ("label", "labels", "target", "class", "y", "diagnosis", "outcome")
KEYS = ("id", "key", "name", "uid", "index", "visit")
GROUPS = ("patient", "subject", "speaker", "person", "user", "participant", "group", "video", "site", "hospital")
SPLIT_NAMES = ("split", "fold", "partition", "subset", "set")
LONG_TEXT = 20  # characters of a string on average, above which it may be a text
WORDS = 3  # or so many words
OFTEN = 0.2  # share of different values, above which a column of long strings is a text
MANY = 0.5  # the same, above which one of short strings is no category
FEW = 20  # different values at most of a column that may be a target
_UNSPACED = re.compile(f"[{UNSPACED}]")


class Roles(NamedTuple):
    """The columns of a table by what they may be for.

    Attributes:
      features: numbers and categories.
      texts: each a modality.
      pictures, sounds: names of files.
      keys: by their name, and with a different value in every row.
      numbers: of the rows.
      target, split: the column, or "".
      groups: several rows have one value, as one patient has visits.
      few: any that have a few different values: what else may be the target.
      left_out: column -> why.
    """

    features: list[str]
    texts: list[str]
    pictures: list[str]
    sounds: list[str]
    keys: list[str]
    numbers: list[str]
    target: str
    split: str
    groups: list[str]
    few: list[str]
    left_out: dict[str, str]


def roles_of(columns: Iterable[str], cells_of: Callable[[str], list[str]]) -> Roles:
    """The roles of columns.

    Args:
      columns: their names.
      cells_of: name -> its cells; "" says nothing.
    """
    roles = Roles([], [], [], [], [], [], "", "", [], [], {})
    for column in columns:
        cells = list(cells_of(column))
        there = [cell for cell in cells if cell]
        different, words = set(there), re.split(r"[\W_]+", column.lower())
        suffixes = {PurePath(cell).suffix.lower() for cell in there[:100]}
        if not there:
            roles.left_out[column] = "is empty"
        elif suffixes <= {*media.IMAGES}:
            roles.pictures.append(column)
        elif suffixes <= {*media.SOUNDS}:
            roles.sounds.append(column)
        elif not roles.split and column.lower() in SPLIT_NAMES and _are_splits(different):
            roles = roles._replace(split=column)
        elif not roles.target and column.lower() in TARGETS:
            roles = roles._replace(target=column)
        elif column.lower() in KEYS or words[-1] == "id" or set(words) & set(GROUPS):
            (roles.keys if len(different) == len(cells) else roles.groups).append(column)
        elif len(different) == len(cells) and _count_rows(cells):
            roles.numbers.append(column)
        else:
            roles.few.extend([column] if 1 < len(different) <= FEW else [])
            numbers = sum(exact_number(cell.replace(",", ".")) is not None for cell in there)
            if 2 * numbers >= len(there):
                roles.features.append(column)
            elif len(different) > OFTEN * len(there) and _are_texts(there):
                roles.texts.append(column)
            elif len(different) <= MANY * len(there):
                roles.features.append(column)
            else:
                roles.left_out[column] = (
                    "has a value of its own in nearly every row; as `kind: text` its words are read"
                )
    return roles


def _are_splits(values: set[str]) -> bool:
    known = {SPLITS.get(value.lower()) for value in values}
    return None not in known and {"train", "test"} <= known


def _count_rows(cells: list[str]) -> bool:
    """Whether the cells of different values are a running number, in any order."""
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    return len(numbers) == len(cells) and max(numbers) - min(numbers) == len(cells) - 1


def _are_texts(cells: list[str]) -> bool:
    mean = sum(map(len, cells)) / len(cells)
    words = sum(len(cell.split()) for cell in cells) / len(cells)
    return mean > LONG_TEXT or words >= WORDS or sum(bool(_UNSPACED.search(cell)) for cell in cells) > MANY * len(cells)
