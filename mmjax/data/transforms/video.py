"""Videos as few frames; [n, T, height, width, channels]."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.data.transforms.contract import Column, State
from mmjax.errors import InputError


@dataclasses.dataclass(frozen=True)
class SampleFrames:
    """Take frames evenly spaced over each video's own length, each from the middle of the stretch it stands for.

    Attributes:
      frames: how many, at least 1; a shorter video repeats some.
    """

    frames: int

    def __post_init__(self):
        if self.frames < 1:
            raise InputError(f"transform SampleFrames: frames = {self.frames} is not accepted: give 1 or more")

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        n, length = column.values.shape[:2]
        lengths = np.full(n, length) if column.lengths is None else np.maximum(column.lengths, 1)
        places = ((np.arange(self.frames) + 0.5) / self.frames * lengths[:, None]).astype(int)
        return column._replace(values=column.values[np.arange(n)[:, None], places], lengths=None)
