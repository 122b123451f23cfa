"""Texts as vectors where upstream has texts alone: frequencies of terms on the directions that train has most of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmjax.data.arrays import strings_of
from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.text import TfIdf

TERMS = 20_000


def project(texts: Sequence[str], train: np.ndarray, directions: int) -> np.ndarray:
    """float32 [n, directions], 0 in those that train is too small for.

    Args:
      texts: n of them.
      train: [n] bool, which ones terms and directions are fitted on.
      directions: numbers a text.

    Raises:
      InputError: if train has no term.
    """
    step = TfIdf(features=TERMS, least=1, components=directions)
    column = Column(strings_of(texts), train)
    found = step.apply(step.fit(column), column).values
    return np.pad(found, ((0, 0), (0, directions - found.shape[1])))
