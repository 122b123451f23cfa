"""A data set as it is kept: its raw files, its features, and how they are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mmjax.data.sources import Source

Columns = Mapping[str, np.ndarray]  # feature -> [n, ...], row by row


@dataclasses.dataclass(frozen=True)
class Array:
    """Numbers of one shape: `shape` of an example, `dtype`, and what they are."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    doc: str = ""


@dataclasses.dataclass(frozen=True)
class Label:
    """A class, as int64 in 0 ... len(names) - 1."""

    names: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Text:
    """A string of any length."""

    doc: str = ""


Feature = Array | Label | Text


@dataclasses.dataclass(frozen=True)
class Layout:
    """One form in which the raw files come.

    Attributes:
      sources: the files (or folders) it consists of.
      read: file's name -> path, to split's name -> columns. A data set without official splits has one, "train".
        Raises InputError naming file and field for what it cannot use.
    """

    sources: tuple[Source, ...]
    read: Callable[[Mapping[str, Path]], Mapping[str, Columns]]


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A data set.

    Attributes:
      name: of its folder, and of its builder.
      version: of what is prepared from the raw files.
      features: of an example, in order.
      layouts: forms of the raw files, the preferred one first; it is the one that is downloaded.
      homepage: where a person reads about it.
    """

    name: str
    version: str
    features: Mapping[str, Feature]
    layouts: tuple[Layout, ...]
    homepage: str
