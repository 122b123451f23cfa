"""Numbers and categories as features of even scale."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.data.transforms.contract import Column, State, choose, wide

SCALINGS = ("standard", "min_max")
FILLINGS = ("median", "mean", "most_frequent")


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
        choose("Scale", "by", self.by, SCALINGS)

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


@dataclasses.dataclass(frozen=True)
class Impute:
    """Fill what is NaN with a statistic of train, and say where.

    Attributes:
      strategy: "median", "mean" or "most_frequent"; a feature that is NaN all over train is filled with 0.
      indicator: append, for every feature with a NaN in train, whether it was NaN (1) or not (0).
    """

    strategy: str = "median"
    indicator: bool = True

    def __post_init__(self):
        choose("Impute", "strategy", self.strategy, FILLINGS)

    def fit(self, column: Column) -> State:
        from sklearn.impute import SimpleImputer

        rows = _rows(column).astype(np.float64)
        fill = SimpleImputer(strategy=self.strategy, keep_empty_features=True).fit(rows).statistics_
        lacking = np.flatnonzero(np.isnan(rows).any(axis=0)) if self.indicator else np.empty(0, int)
        return {"fill": np.nan_to_num(fill), "lacking": lacking}

    def apply(self, state: State, column: Column) -> Column:
        values = column.values.astype(np.float64)
        lacks = np.isnan(values)
        filled = np.where(lacks, state["fill"], values)
        joined = np.concatenate([filled, lacks[..., state["lacking"]]], axis=-1)
        return column._replace(values=joined.astype(wide(column.values)))


@dataclasses.dataclass(frozen=True)
class OneHot:
    """Turn categories, [n] or [n, k], into a 1 among 0s for each of the k.

    Attributes:
      least: a category that fewer examples of train have counts as unseen.
      unseen: "ignore" (all 0) or "own" (an entry of its own) for categories that train does not have.
    """

    least: int = 1
    unseen: str = "ignore"

    def __post_init__(self):
        choose("OneHot", "unseen", self.unseen, ("ignore", "own"))

    def fit(self, column: Column) -> State:
        state = {}
        for place, values in enumerate(_categories(column.values[column.present]).T):
            known, counts = np.unique(values, return_counts=True)
            state[str(place)] = known[counts >= self.least]
        return state

    def apply(self, state: State, column: Column) -> Column:
        parts = []
        for place, values in enumerate(_categories(column.values).T):
            hot = values[:, None] == state[str(place)]
            if self.unseen == "own":
                hot = np.concatenate([hot, ~hot.any(axis=1, keepdims=True)], axis=1)
            parts.append(hot)
        return column._replace(values=np.concatenate(parts, axis=1).astype(np.float32))


@dataclasses.dataclass(frozen=True)
class Table:
    """Turn the columns of a table, [n, k] or [n], of which some are numbers and the others categories, into features.

    Numbers are imputed by the median and standardised, categories one-hot; the numbers come first.

    Attributes:
      numbers: places of the columns that are numbers.
    """

    numbers: tuple[int, ...] = ()

    def fit(self, column: Column) -> State:
        numbers, categories = self._split(column)
        state = {f"category_{name}": value for name, value in OneHot().fit(categories).items()}
        if self.numbers:
            filling = Impute().fit(numbers)
            scaling = Scale().fit(Impute().apply(filling, numbers))
            state |= {f"number_{name}": value for name, value in filling.items()}
            state |= {f"scale_{name}": value for name, value in scaling.items()}
        return state

    def apply(self, state: State, column: Column) -> Column:
        numbers, categories = self._split(column)
        parts = []
        if self.numbers:
            numbers = Impute().apply(_under("number_", state), numbers)
            parts.append(Scale().apply(_under("scale_", state), numbers).values)
        if categories.values.shape[1]:
            parts.append(OneHot().apply(_under("category_", state), categories).values)
        return column._replace(values=np.concatenate(parts, axis=1))

    def unseen(self, state: State, column: Column) -> dict[int, list[str]]:
        """Categories that train does not have, by the place of their column; they become zeros."""
        _, categories = self._split(column)
        others = [place for place in range(np.size(column.values[0])) if place not in self.numbers]
        found = {}
        for place, known, values in zip(others, range(len(others)), _categories(categories.values).T, strict=True):
            new = np.setdiff1d(values[column.present], [*state[f"category_{known}"], ""])
            if len(new):
                found[place] = new.tolist()
        return found

    def _split(self, column: Column) -> tuple[Column, Column]:
        values = column.values.reshape(len(column.values), -1)
        others = [place for place in range(values.shape[1]) if place not in self.numbers]
        numbers = np.zeros((len(values), len(self.numbers)))
        there = column.present
        numbers[there] = values[np.ix_(there, self.numbers)].astype(np.float64) if self.numbers else 0
        return column._replace(values=numbers), column._replace(values=values[:, others])


def _rows(column: Column) -> np.ndarray:
    """Feature vectors [*, features] of examples and valid steps that are there."""
    return column.values[column.present] if column.values.ndim == 2 else column.values[column.valid]


def _categories(values: np.ndarray) -> np.ndarray:
    """Categories as strings [n, k]."""
    return values.reshape(len(values), -1).astype(str)


def _under(prefix: str, state: State) -> State:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
