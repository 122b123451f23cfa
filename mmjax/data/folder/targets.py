"""What is predicted, by whom examples are grouped, and which split each is in."""

from __future__ import annotations

import numpy as np

from mmjax.data.folder import saved_datasets, tables
from mmjax.data.folder.places import place_of
from mmjax.data.folder.schema import FILE, Reference, Schema
from mmjax.data.folder.values import Rows, keys_of, table_strings
from mmjax.data.recipe import Target
from mmjax.errors import InputError

FEW = 20  # different whole numbers at most that are taken as classes


def rows_of(schema: Schema) -> Rows:
    """The examples: the rows of the file in which the target stands.

    Raises:
      InputError: if it cannot be read, or keys are asked for and it has none.
    """
    reference = schema.target.reference
    path = place_of(schema.folder, reference.line, reference.file)
    if path.suffix in tables.SUFFIXES:
        table = tables.read_table(path, reference.delimiter)
        return Rows(table.rows, keys_of(schema, table) if schema.id else None)
    if schema.id:
        raise InputError(
            f"{schema.folder / FILE}: `id` joins tables, and the target's {reference.file!r} is none; leave it out"
        )
    return Rows(len(table_strings(schema, reference, None)[0]), None)


def read_target(schema: Schema, rows: Rows) -> tuple[Target, np.ndarray]:
    """What is predicted, its values under the column "target": classes [n], or numbers [n, K].

    Raises:
      InputError: naming the row of a label that is missing or not among the classes, or if there is one class only.
    """
    part = schema.target
    columns = table_strings(schema, part.reference, rows)
    path = place_of(schema.folder, part.reference.line, part.reference.file)
    for name, values in zip(part.reference.columns, columns, strict=True):
        if (values == "").any():
            row = int(np.argmax(values == ""))
            raise InputError(
                f"{path}, line {row + 2}, column {name!r}: the target is missing; fill it in or drop the row"
            )
    kind = part.kind or _kind(columns)
    if kind in ("regression", "multilabel"):
        numbers = np.stack([_numbers(path, n, v) for n, v in zip(part.reference.columns, columns, strict=True)], axis=1)
        if kind == "multilabel" and not np.isin(numbers, (0, 1)).all():
            row = int(np.argwhere(~np.isin(numbers, (0, 1)))[0][0])
            raise InputError(f"{path}, line {row + 2}: the target is {numbers[row].tolist()}; labels must be 0 or 1")
        if part.scale == "log":
            _check_logarithms(path, part.reference.columns, numbers)
        return Target(kind, "target", scale=part.scale), numbers.astype(np.float32)
    if part.scale:
        raise InputError(
            f"{schema.folder / FILE}, line {part.reference.line}: scale is {part.scale!r}, and the target's values are "
            "classes; say `kind: regression` or leave `scale` out"
        )
    if len(columns) != 1:
        raise InputError(
            f"{path}: a target of classes is one column; say `kind: multilabel` or `kind: regression` for several"
        )
    classes = part.classes or _sorted(set(columns[0]))
    if len(classes) < 2 or (kind == "binary" and len(classes) != 2):
        wanted = "two" if kind == "binary" else "two or more"
        names = ", ".join(classes[:5])
        raise InputError(
            f"{path}, column {part.reference.columns[0]!r}: the target's classes are {names}; give {wanted}"
        )
    unknown = ~np.isin(columns[0].astype(str), classes)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"{path}, line {row + 2}: class {columns[0][row]!r} is none of {', '.join(classes)}; add it to "
            "`classes` or correct it"
        )
    kind = kind if kind != "classes" else "binary" if len(classes) == 2 else "multiclass"
    return Target(kind, "target", tuple(classes)), np.array([classes.index(label) for label in columns[0]])


def read_groups(schema: Schema, rows: Rows) -> np.ndarray | None:
    """The group of each example, or None.

    Raises:
      InputError: if one is missing.
    """
    if schema.groups is None:
        return None
    (groups,) = table_strings(schema, schema.groups, rows)
    if (groups == "").any():
        row = int(np.argmax(groups == ""))
        raise InputError(
            f"{schema.groups.file}: row {row} of the examples has no group in column {schema.groups.columns[0]!r}"
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
    wrong = next((row for row, split in enumerate(named) if split not in known), None)
    if wrong is not None:
        raise InputError(f"{path}: the split of row {wrong} is {named[wrong]!r}; accepted are {', '.join(known)}")
    splits = np.array([known[split] for split in named])
    for split in ("train", "test"):
        if split not in splits:
            raise InputError(f"{path}: no row is in split {split!r}; train and test need at least one")
    return splits


def _kind(columns: list[np.ndarray]) -> str:
    """By the values: many or broken numbers are a regression, anything else classes."""
    import pandas

    numbers = pandas.to_numeric(columns[0], errors="coerce").astype(float)
    if len(columns) > 1:
        return "regression"
    whole = np.all(numbers == np.round(numbers)) and len(np.unique(numbers)) <= FEW
    return "classes" if np.isnan(numbers).any() or whole else "regression"


def _numbers(path, name: str, values: np.ndarray) -> np.ndarray:
    import pandas

    numbers = pandas.to_numeric(values, errors="coerce").astype(float)
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers)))
        raise InputError(f"{path}, line {row + 2}, column {name!r}: {values[row]!r} is no finite number; correct it")
    return numbers


def _check_logarithms(path, names: tuple[str, ...], numbers: np.ndarray):
    wrong = np.argwhere(numbers <= 0)
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"{path}, line {row + 2}, column {names[column]!r}: the target is {numbers[row, column]:g}, and "
            "`scale: log` takes values above 0; say `scale: standard`"
        )


def _sorted(classes: set[str]) -> list[str]:
    try:
        return sorted(classes, key=float)
    except ValueError:
        return sorted(classes)
