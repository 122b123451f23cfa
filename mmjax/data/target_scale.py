"""The unit that the values of a regression are learned in, fitted on train."""

from __future__ import annotations

import numpy as np

from mmjax.errors import InputError
from mmjax.types import SCALE_KINDS, ValueScale

SKEWED = 1.0  # skewness of train's values above which their logarithms are tried: that of an exponential is 2


def fit_scales(values: np.ndarray, kind: str = "") -> tuple[ValueScale, ...]:
    """How each value of a regression is brought to mean 0 and deviation 1 over train.

    Without a kind each value has its own: "log" where train's values are all above 0, their skewness is above SKEWED,
    and that of their logarithms less than half as far from 0; else "standard". Validation has no say. Values that do
    not vary keep their width, and are only moved to 0.

    Args:
      values: of the training split, [n] or [n, K].
      kind: one of SCALE_KINDS, for all K; "" decides by the values.

    Raises:
      InputError: for another kind, values that are not finite, or logarithms of values that are not above 0.
    """
    if kind and kind not in SCALE_KINDS:
        raise InputError(f"target: scale {kind!r} is not accepted: give one of {', '.join(SCALE_KINDS)}")
    columns = np.asarray(values, np.float64).reshape(len(values), -1).T
    if not np.isfinite(columns).all():
        wrong = columns[~np.isfinite(columns)][0]
        raise InputError(f"target: train has the value {wrong}; give finite numbers, in a unit that float32 holds")
    if kind == "log" and not (columns > 0).all():
        raise InputError(f"target: scale 'log' takes values above 0, and train has {columns.min():g}")
    return tuple(_fit(column, kind or _kind_of(column)) for column in columns)


def _kind_of(column: np.ndarray) -> str:
    if column.min() <= 0 or _constant(column):
        return "standard"
    from scipy.stats import skew  # late: importing mmjax.data is to stay cheap

    skewness = skew(column)
    return "log" if skewness > SKEWED and abs(skew(np.log(column))) < skewness / 2 else "standard"


def _fit(column: np.ndarray, kind: str) -> ValueScale:
    if kind == "none":
        return ValueScale(kind, lowest=float(column.min()), highest=float(column.max()))
    column = np.log(column) if kind == "log" else column
    offset, scale = float(column.mean()), 1.0 if _constant(column) else float(column.std())
    return ValueScale(kind, offset, scale, *(float((end - offset) / scale) for end in (column.min(), column.max())))


def _constant(column: np.ndarray) -> bool:
    """Whether all values are the same but for the rounding of float32, in which they are kept."""
    float32 = np.finfo(np.float32)
    return np.ptp(column) <= max(float32.eps * np.abs(column).max(), float32.tiny)
