"""Sets of points, as lidar and radar give them; [n, points, features] with lengths, the first three are x, y, z."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.data.transforms.contract import Column, State, wide
from mmjax.errors import InputError


@dataclasses.dataclass(frozen=True)
class VoxelSubsample:
    """Replace all points in a cube of space by their mean, and keep so many of the fullest cubes.

    Attributes:
      size: a cube's side, in the points' own unit, above 0.
      points: kept at most; 0 takes the most that a set of train has.
    """

    size: float
    points: int = 0

    def __post_init__(self):
        if not self.size > 0:
            raise InputError(f"transform VoxelSubsample: size = {self.size} is not accepted: give a number above 0")

    def fit(self, column: Column) -> State:
        if self.points:
            return {"points": np.array(self.points)}
        counts = [len(self._means(*each)[1]) for each in _sets(column) if each[1]]
        return {"points": np.array(max(counts, default=1))}

    def apply(self, state: State, column: Column) -> Column:
        most = int(state["points"])
        values = np.zeros((len(column.values), most, column.values.shape[2]), wide(column.values))
        lengths = np.ones(len(values), np.int32)
        for row, (points, there) in enumerate(_sets(column)):
            if there:
                means, counts = self._means(points, there)
                kept = np.sort(np.argsort(-counts, kind="stable")[:most])
                values[row, : len(kept)], lengths[row] = means[kept], len(kept)
        return column._replace(values=values, lengths=lengths)

    def _means(self, points: np.ndarray, there: bool) -> tuple[np.ndarray, np.ndarray]:
        """Of each cube, in the order of its place: mean of its points, and how many they are."""
        cubes = np.floor(points[:, :3] / self.size).astype(np.int64)
        _, cube, counts = np.unique(cubes, axis=0, return_inverse=True, return_counts=True)
        sums = np.zeros((len(counts), points.shape[1]))
        np.add.at(sums, cube.reshape(-1), points)
        return sums / counts[:, None], counts


@dataclasses.dataclass(frozen=True)
class NormalisePoints:
    """Move every set's middle to 0 and its farthest point to distance 1; a set of one place is only moved."""

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        values = column.values.astype(np.float64)
        for row, (points, there) in enumerate(_sets(column)):
            if there:
                place = points[:, :3] - points[:, :3].mean(axis=0)
                farthest = np.linalg.norm(place, axis=1).max()
                values[row, : len(points), :3] = place / (farthest or 1)
        return column._replace(values=values.astype(wide(column.values)))


def _sets(column: Column):
    """Each example's points [length, features] float64, and whether it is there."""
    lengths = np.full(len(column.values), column.values.shape[1]) if column.lengths is None else column.lengths
    for values, length, there in zip(column.values, lengths, column.present, strict=True):
        yield values[:length].astype(np.float64), bool(there)
