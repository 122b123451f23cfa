"""Numbers and categories as features of even scale."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.data.transforms.contract import Column, State
from mmjax.errors import InputError

SCALINGS = ("standard", "min_max")


@dataclasses.dataclass(frozen=True)
class Scale:
    """Scale every feature by what it is on train; of sequences, over their valid steps.

    Attributes:
      by: "standard" (mean 0, deviation 1) or "min_max" (0 to 1). A constant feature is moved, not scaled.
      clip: largest absolute value afterwards; 0 does not clip.
    """

    by: str = "standard"
    clip: float = 0.0

    def __post_init__(self):
        if self.by not in SCALINGS:
            raise InputError(f"transform Scale: by = {self.by!r} is not accepted: give {' or '.join(SCALINGS)}")

    def fit(self, column: Column) -> State:
        from sklearn.preprocessing import MinMaxScaler, StandardScaler

        rows = _rows(column).astype(np.float64)
        if self.by == "standard":
            scaler = StandardScaler().fit(rows)
            return {"shift": scaler.mean_, "scale": scaler.scale_}
        scaler = MinMaxScaler().fit(rows)
        return {"shift": scaler.data_min_, "scale": 1 / scaler.scale_}

    def apply(self, state: State, column: Column) -> Column:
        values = (column.values.astype(np.float64) - state["shift"]) / state["scale"]
        if self.clip:
            values = np.clip(values, -self.clip, self.clip)
        return column._replace(values=values.astype(np.float32))


def _rows(column: Column) -> np.ndarray:
    """Feature vectors [*, features] of examples and valid steps that are there."""
    return column.values[column.present] if column.values.ndim == 2 else column.values[column.valid]
