"""Which examples are trained on, chosen by, and tested on.

A protocol is named as in `pie/random_80_20.3`: a name and, after a dot, a number, 0 if there is none.

    official        the data set's own splits; without a validation split, a fifth of train by a fixed seed
    random_80_20.s  a fifth of the examples is test, a fifth of the rest validation, by seed s
    fold.k          fold k is test, fold k + 1 validation, the rest train; the data set's own folds, else five
    conflict.s      random_80_20.s with a test split whose views contradict each other (mmjax.data.conflict)

Classes keep their shares, and examples of one group (a patient, a speaker, a video) are never in two splits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mmjax.data.splitters import folds_by
from mmjax.errors import InputError, shown, unknown_name
from mmjax.types import SPLITS

PROTOCOLS = ("official", "random_80_20", "fold", "conflict")
SHARE = 5  # a fifth
N_FOLDS = 5
SEED = 0  # of cuts that are not asked for by seed


class Layout(NamedTuple):
    """What a split is made from, row by row of all examples.

    Attributes:
      strata: [n] int, what keeps its shares (the class); None for a target that has no classes.
      groups: [n], examples of one value stay together; None where each stands alone.
      official: split -> rows, as the data set has them; "train" alone where it has no official split.
      folds: [n] int, the data set's own folds; None where it has none.
      class_names: of the strata, for sentences; empty where they have none.
      group_names: of the groups, where those are numbers from 0; empty otherwise.
    """

    strata: np.ndarray | None
    groups: np.ndarray | None
    official: Mapping[str, np.ndarray]
    folds: np.ndarray | None
    class_names: Sequence[str] = ()
    group_names: Sequence[str] = ()

    @property
    def size(self) -> int:
        """n."""
        return sum(len(rows) for rows in self.official.values())


def parse(protocol: str, accepted: tuple[str, ...], task: str) -> tuple[str, int]:
    """Name and number of a protocol as it stands in a task's name.

    Raises:
      InputError: for one that the task does not have.
    """
    match = re.fullmatch(r"([a-z0-9_]+?)(?:\.(\d+))?", protocol)
    if not match or match[1] not in accepted:
        raise unknown_name(f"config of task {task!r}", protocol, accepted)
    return match[1], int(match[2] or 0)


def rows_of(protocol: str, number: int, layout: Layout) -> dict[str, np.ndarray]:
    """Rows of every split, ascending.

    Raises:
      InputError: if a fold does not exist, or a split would be empty.
    """
    if protocol == "official":
        rows = dict(layout.official)
        if "validation" not in rows:
            rows["train"], rows["validation"] = _cut(layout, rows["train"], SEED)
    elif protocol == "fold":
        folds = _folds(layout)
        count = int(folds.max()) + 1
        if number >= count:
            raise InputError(f"fold.{number} does not exist: accepted are fold.0 to fold.{count - 1}")
        test, validation = folds == number, folds == (number + 1) % count
        rows = {"train": ~(test | validation), "validation": validation, "test": test}
        rows = {split: np.flatnonzero(chosen) for split, chosen in rows.items()}
    else:
        rest, test = _cut(layout, np.arange(layout.size), number)
        train, validation = _cut(layout, rest, number)
        rows = {"train": train, "validation": validation, "test": test}
    empty = [split for split in SPLITS if not len(rows.get(split, ()))]
    if empty:
        raise InputError(f"split {empty[0]!r} of protocol {protocol}.{number} is empty; give more examples or groups")
    return {split: np.sort(rows[split]) for split in SPLITS}


def _cut(layout: Layout, rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows without a fifth, and that fifth."""
    from sklearn.model_selection import train_test_split

    if layout.groups is None:
        strata = None if layout.strata is None else layout.strata[rows]
        try:
            return tuple(train_test_split(rows, test_size=1 / SHARE, stratify=strata, random_state=seed))
        except ValueError as error:
            raise InputError(_too_few(layout, rows, SHARE)) from error
    folds = _new_folds(layout, rows, seed, SHARE)
    return rows[folds != 0], rows[folds == 0]


def _folds(layout: Layout) -> np.ndarray:
    if layout.folds is not None:
        return layout.folds
    return _new_folds(layout, np.arange(layout.size), SEED, N_FOLDS)


def _new_folds(layout: Layout, rows: np.ndarray, seed: int, count: int) -> np.ndarray:
    """[len(rows)] fold of each row; no more folds than groups."""
    strata = None if layout.strata is None else layout.strata[rows]
    groups = None if layout.groups is None else layout.groups[rows]
    if groups is not None:
        present = np.unique(groups)
        if len(present) < 2:
            raise InputError(
                f"all {len(rows)} examples that are to be split are of group {_named(layout.group_names, present[0])}; "
                "give examples of three groups or more, or leave `groups` out"
            )
        count = min(count, len(present))
    try:
        # Classes with fewer members than folds are refused where train then lacks them, and by their name.
        return folds_by(len(rows), count, seed, strata, groups)
    except ValueError as error:
        raise InputError(_too_few(layout, rows, count)) from error


def _too_few(layout: Layout, rows: np.ndarray, ways: int) -> str:
    """Why rows cannot be split: a class that is too small, or too few of all."""
    if layout.strata is not None:
        classes, counts = np.unique(layout.strata[rows], return_counts=True)
        name = _named(layout.class_names, classes[counts.argmin()])
        if counts.min() < 2:
            return (
                f"class {name} has 1 example among the {len(rows)} that are to be split, and every split needs one: "
                f"give {len(SPLITS)} or more, leave its row out, or make it part of another class"
            )
        return (
            f"{len(rows)} examples cannot be split {ways} ways with each of {len(classes)} classes in each; give more"
        )
    return f"{len(rows)} examples cannot be split {ways} ways; give {ways} or more"


def _named(names: Sequence[str], place: int) -> str:
    return shown(names[place]) if len(names) else str(place)
