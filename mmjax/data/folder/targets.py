"""What is predicted, by whom examples are grouped, and which split each is in."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmjax.data.folder import arrays, labels, saved_datasets, tables
from mmjax.data.folder.numbers import read_numbers
from mmjax.data.folder.places import place_of
from mmjax.data.folder.schema import FILE, Reference, Schema, TargetPart
from mmjax.data.folder.target_kind import FEW, kind_of
from mmjax.data.folder.values import Rows, keys_of, order_of, table_strings
from mmjax.data.folder.words import plain
from mmjax.data.recipe import Target
from mmjax.errors import InputError, shown

LOST = 1e-3  # error by rounding, in standard deviations, above which it is told
TOLD = 8  # classes that a sentence lists at most


def rows_of(schema: Schema) -> Rows:
    """The examples: the rows of the file in which the target stands.

    Raises:
      InputError: if it cannot be read, or keys are asked for and it has none.
    """
    reference = schema.target.reference
    path = place_of(schema.folder, reference.line, reference.file)
    if tables.is_table(path):
        table = tables.read_table(path, reference.delimiter)
        return Rows(table.rows, keys_of(schema, table) if schema.id else None)
    if schema.id:
        raise InputError(
            f"{schema.folder / FILE}: `id` joins tables, and the target's {reference.file!r} is none; leave it out"
        )
    return Rows(len(next(iter(_columns(schema, None).values()))), None)


class TargetColumn(NamedTuple):
    """What is predicted, its values under the column "target", and what is to be told of them.

    Values are classes [n] int, or numbers [n, K] in single precision.
    """

    target: Target
    values: np.ndarray
    warnings: tuple[str, ...] = ()


def read_target(schema: Schema, rows: Rows) -> TargetColumn:
    """What is predicted. It is told where single precision takes more than LOST of the values' spread from them.

    Raises:
      InputError: naming the row of a label that is missing or not among the classes, of a number that is none or may be
        read in two ways, or if there is one class only.
    """
    part = schema.target
    by_name = _columns(schema, rows)
    columns = list(by_name.values())
    path = place_of(schema.folder, part.reference.line, part.reference.file)
    where = _where(schema, part.reference, None)
    for name, values in by_name.items():
        _refuse_missing(part, path, values, lambda row, name=name: where(row, name))
    kind = part.kind or ("classes" if part.classes else kind_of(by_name, where))
    if kind in ("regression", "multilabel"):
        numbers = np.stack([_numbers(name, values, where) for name, values in by_name.items()], axis=1)
        if kind == "multilabel" and not np.isin(numbers, (0, 1)).all():
            row, column = np.argwhere(~np.isin(numbers, (0, 1)))[0]
            raise InputError(
                f"{where(row, list(by_name)[column])}: the target is {numbers[row].tolist()}; labels must be 0 or 1"
            )
        if part.scale == "log":
            _check_logarithms(list(by_name), numbers, where)
        with np.errstate(over="ignore"):  # what is not finite is refused where train's scale is fitted
            values = numbers.astype(np.float32)
        return TargetColumn(Target(kind, "target", scale=part.scale), values, _losses(list(by_name), numbers, values))
    if part.scale:
        raise InputError(
            f"{schema.folder / FILE}, line {part.reference.line}: scale is {part.scale!r}, and the target's values are "
            "classes; say `kind: regression` or leave `scale` out"
        )
    if len(columns) != 1:
        raise InputError(
            f"{path}: a target of classes is one column; say `kind: multilabel` or `kind: regression` for several"
        )
    (name,) = by_name
    found, classes = labels.merged(columns[0], part.classes)
    twice = [label for label, count in Counter(classes).items() if count > 1]
    if twice:
        raise InputError(
            f"{schema.folder / FILE}, line {part.reference.line}: classes names {shown(twice[0])} twice; keep one"
        )
    classes = classes or labels.ordered(found)
    if len(classes) < 2 or (kind == "binary" and len(classes) != 2):
        wanted = "two" if kind == "binary" else "two or more"
        raise InputError(f"{path}, column {shown(name)}: the target's classes are {_some(classes)}; give {wanted}")
    places = {label: place for place, label in enumerate(classes)}
    unknown = next((row for row, label in enumerate(found) if label not in places), None)
    if unknown is not None:
        raise InputError(
            f"{where(unknown, name)}: class {shown(found[unknown])} is none of {_some(classes)}; add it to `classes` "
            "or correct it"
        )
    kind = kind if kind != "classes" else "binary" if len(classes) == 2 else "multiclass"
    return TargetColumn(Target(kind, "target", tuple(classes)), np.array([places[label] for label in found]))


def read_groups(schema: Schema, rows: Rows) -> np.ndarray | None:
    """The group of each example, or None.

    Raises:
      InputError: if one is missing.
    """
    if schema.groups is None:
        return None
    (groups,) = table_strings(schema, schema.groups, rows)
    if (groups == "").any():
        where = _where(schema, schema.groups, rows)
        raise InputError(
            f"{where(int(np.argmax(groups == '')), schema.groups.columns[0])}: the example has no group; fill it in"
        )
    return groups


def read_splits(schema: Schema, rows: Rows) -> np.ndarray | None:
    """The split of each example, or None where a protocol splits.

    Raises:
      InputError: if one is none of the splits, or train or test would be empty.
    """
    if not isinstance(schema.splits, Reference):
        return None
    path = place_of(schema.folder, schema.splits.line, schema.splits.file)
    if saved_datasets.is_saved(path) and not schema.splits.columns:
        named = saved_datasets.read_saved(path).split
    else:
        (named,) = table_strings(schema, schema.splits, rows)
    known = saved_datasets.SPLITS
    named = [str(split).strip().lower() for split in named]
    wrong = next((row for row, split in enumerate(named) if split not in known), None)
    if wrong is not None:
        where = _where(schema, schema.splits, rows)(wrong, "".join(schema.splits.columns))
        raise InputError(f"{where}: the split is {shown(named[wrong])}; accepted are {', '.join(known)}")
    splits = np.array([known[split] for split in named])
    for split in ("train", "test"):
        if split not in splits:
            raise InputError(f"{path}: no row is in split {split!r}; train and test need at least one")
    return splits


def _columns(schema: Schema, rows: Rows | None) -> dict[str, np.ndarray]:
    """Name -> [n] str of each column of the target, also where a word such as `None` stands; "" is missing."""
    part = schema.target
    reference = part.reference
    path = place_of(schema.folder, reference.line, reference.file)
    if tables.is_table(path) and reference.columns:
        table = tables.read_table(path, reference.delimiter)
        return {column: table.cells(column) for column in reference.columns}
    if arrays.is_arrays(path) and len(reference.columns) < 2:
        name = "".join(reference.columns)
        return _of_array(part, path, name or path.name, arrays.read_array(path, name))
    return dict(zip(reference.columns, table_strings(schema, reference, rows), strict=True))


def _of_array(part: TargetPart, path: Path, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """An array [n] or [n, 1] is a column; of numbers and labels [n, K], where the kind says so, K."""
    if values.ndim == 2 and (values.shape[1] == 1 or part.kind in ("regression", "multilabel")):
        wide = values.shape[1] > 1
        columns = {f"{name}[:, {place}]" if wide else name: values[:, place] for place in range(values.shape[1])}
    elif values.ndim == 1:
        columns = {name: values}
    else:
        raise InputError(
            f"{path}: the target {name!r} is {values.shape}; accepted are (n,) and (n, 1), and (n, K) with "
            "`kind: multilabel` or `kind: regression`"
        )
    return {
        column: np.array([*("" if v != v else plain(str(v)) for v in of.tolist()), None], object)[:-1]
        for column, of in columns.items()
    }


def _where(schema: Schema, reference: Reference, rows: Rows | None) -> Callable[[int, str], str]:
    """(example, column) -> how its cell is pointed at; None where examples are the rows of that file."""
    path = place_of(schema.folder, reference.line, reference.file)
    if not tables.is_table(path):
        return lambda row, column: f"{path}, row {row}" + (f", column {shown(column)}" if column else "")
    table = tables.read_table(path, reference.delimiter)
    order = order_of(schema, table, rows)

    def where(row: int, column: str) -> str:
        place = row if order is None else order[row]
        return (
            table.where(place, column) if place >= 0 else f"{path}, where no line has the key {shown(rows.keys[row])}"
        )

    return where


def _refuse_missing(part: TargetPart, path: Path, values: np.ndarray, where: Callable[[int], str]) -> None:
    """Refuses what says nothing; a word for that, as `NA`, is taken where `classes` names it."""
    words = tables.MISSING if tables.is_table(path) else ("",)
    named = set(map(plain, part.classes))
    row = next((row for row, text in enumerate(values) if text.lower() in words and text not in named), None)
    if row is None:
        return
    text, others = values[row], labels.ordered(set(values) - {""})
    hint = ""
    if text and part.kind not in ("regression", "multilabel") and len(others) <= max(FEW, len(part.classes) + 1):
        hint = f"; if {shown(text)} is a class, name it beside the others: `classes: [{', '.join(map(shown, others))}]`"
    told = f" ({shown(text)})" if text else ""
    raise InputError(f"{where(row)}: the target is missing{told}; fill it in or drop the row{hint}")


def _numbers(name: str, values: np.ndarray, where: Callable[[int, str], str]) -> np.ndarray:
    numbers = read_numbers(values, functools.partial(where, column=name), remedy="correct it or drop the row").values
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers)))
        raise InputError(f"{where(row, name)}: {shown(values[row])} is no number; correct it or drop the row")
    return numbers


def _check_logarithms(names: Sequence[str], numbers: np.ndarray, where: Callable[[int, str], str]):
    wrong = np.argwhere(numbers <= 0)
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"{where(row, names[column])}: the target is {numbers[row, column]:g}, and `scale: log` takes values "
            "above 0; say `scale: standard`"
        )


def _losses(names: Sequence[str], numbers: np.ndarray, values: np.ndarray) -> tuple[str, ...]:
    """A sentence for each column [n, K] whose values are no longer told apart, or not placed well, once rounded."""
    told = []
    for name, exact, rounded in zip(names, numbers.T, values.T.astype(float), strict=True):
        with np.errstate(over="ignore"):  # of values that single precision does not hold at all
            error, spread = np.abs(rounded - exact).max(), exact.std()
        if np.isfinite(error) and exact.min() < exact.max() and error > LOST * spread:
            told.append(
                f"the target{f' {shown(name)}' if name else ''} loses digits in single precision: {len(set(exact)):,} "
                f"different values become {len(set(rounded)):,}, wrong by up to {error:.3g}, where their standard "
                f"deviation is {spread:.3g}; subtract a constant from the column, such as its smallest value"
            )
    return tuple(told)


def _some(classes: Sequence[str]) -> str:
    more = f" and {len(classes) - TOLD:,} more" if len(classes) > TOLD else ""
    return ", ".join(map(shown, classes[:TOLD])) + more
