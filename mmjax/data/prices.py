"""Daily prices of one stock in CSV: a heading, and a day a line, the oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError


def read_prices(path: Path, date: str, prices: Sequence[str], volume: str) -> tuple[np.ndarray, np.ndarray]:
    """datetime64[D] [days], and float64 [days, prices + 1] of which the volume is last; days with a gap are left out.

    Args:
      path: the file.
      date, prices, volume: its columns.

    Raises:
      InputError: if it cannot be read, lacks a column, its days do not rise, or a price is not positive.
    """
    import pandas

    with reading(path):
        table = pandas.read_csv(path, usecols=[date, *prices, volume]).dropna()
        days = table[date].to_numpy(str).astype("datetime64[D]")
        values = table[[*prices, volume]].to_numpy(float)
    rising = days[1:] > days[:-1]
    if not rising.all():
        raise InputError(f"{path}: {days[1:][~rising][0]} does not come after the day before it; get it again")
    fine = (values[:, :-1] > 0).all(axis=1) & (values[:, -1] >= 0) & np.isfinite(values).all(axis=1)
    if not fine.all():
        raise InputError(
            f"{path}: {days[~fine][0]} has a price that is not positive, or a volume below 0; get it again"
        )
    return days, values


def log_changes(values: np.ndarray) -> np.ndarray:
    """[days] to [days - 1]: the change of the logarithm a day; a volume of 0 counts as 1."""
    return np.diff(np.log(np.where(values == 0, 1.0, values)))
