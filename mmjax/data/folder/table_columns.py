"""Columns of a table side by side, of the types that training found in them."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from mmjax.data.folder.numbers import CODES, category_of, read_numbers, type_of
from mmjax.data.folder.schema import ModalityPart
from mmjax.data.sources import reading
from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.raw_form import RawForm, RawModality
from mmjax.data.transforms.tabular import Impute, Scale, Table
from mmjax.errors import InputError, unknown_name

MANY = 0.25  # share of different values in a column, above which its categories are told


def as_in_training(where: str, part: ModalityPart, form: RawForm) -> ModalityPart:
    """The part of a task.yaml of new examples, with its columns in the order of training.

    Args:
      where: the line of task.yaml.
      part: of it.
      form: what training found.

    Raises:
      InputError: if it is of another kind, or has other columns.
    """
    if form.kind and part.kind != form.kind:
        raise InputError(
            f"{where}: modality {part.name!r} is of kind {part.kind!r}, and the run was trained on "
            f"kind {form.kind!r}; give it as in training"
        )
    given = part.reference.columns
    if not form.columns or not given:
        return part
    for column in given:
        if column not in form.columns:
            raise InputError(f"{where}: {part.name}: {unknown_name('column', column, form.columns)}")
    lacking = next((column for column in form.columns if column not in given), None)
    if lacking is not None:
        raise InputError(
            f"{where}: modality {part.name!r} lacks the column {lacking!r}, which the run was "
            "trained on; add it, with empty cells where nothing is known"
        )
    return dataclasses.replace(part, reference=dataclasses.replace(part.reference, columns=form.columns))


def with_points(form: RawForm | None, numeric: Collection[str]) -> RawForm | None:
    """What training found, for a file that holds some columns as numbers, which are written with a decimal point."""
    if form is None or not form.decimals:
        return form
    pairs = zip(form.columns, form.decimals, strict=True)
    return dataclasses.replace(form, decimals=tuple("." if name in numeric and mark else mark for name, mark in pairs))


def numeric_columns(path: Path) -> frozenset[str]:
    """Columns of a Parquet file that it holds as numbers; text files hold none so."""
    if path.suffix.lower() != ".parquet":
        return frozenset()
    import pyarrow.parquet

    with reading(path, own=True):
        schema = pyarrow.parquet.read_schema(path)
    types = pyarrow.types
    numeric = (types.is_floating, types.is_integer, types.is_decimal)
    return frozenset(field.name for field in schema if any(kind(field.type) for kind in numeric))


def side_by_side(
    part: ModalityPart, strings: list[np.ndarray], where: Callable[[int, str], str], form: RawForm | None
) -> RawModality:
    """A table or vector of columns, each of numbers or of categories.

    Args:
      part: of task.yaml.
      strings: of each column [n] cells, "" says nothing.
      where: how the cell of a row and column is pointed at.
      form: what training found, whose types and decimal marks are taken; None in training.

    Raises:
      InputError: naming a cell that is no number where one must be.
    """
    names, told = part.reference.columns, []
    types, decimals, parts = [], [], []
    for place, (name, cells) in enumerate(zip(names, strings, strict=True)):
        kind, marks, its = "number", "", functools.partial(where, column=name)
        if form and form.types:
            kind, marks = form.types[place], form.decimals[place]
        elif part.kind == "table":
            kind, warning = ("category", "") if name in part.categories else type_of(name, cells, its)
            told += [f"{part.name}: {warning}"] if warning else []
        if kind == "number":
            hint = "" if part.kind == "vector" else f", or say `categories: [{name}]` where the run is trained"
            cells, marks = read_numbers(cells, its, marks, hint)
        else:
            cells = np.array([*map(category_of, cells), None], object)[:-1]
            different = len(set(cells))
            if not form and different > max(CODES, MANY * len(cells)):
                told.append(
                    f"{part.name}: column {name!r} holds {different:,} different values in {len(cells):,} rows, each a "
                    "category of its own; leave it out, or make it a text"
                )
        types.append(kind)
        decimals.append(marks)
        parts.append(cells)
    found = RawForm(kind=part.kind, columns=names, types=tuple(types), decimals=tuple(decimals))
    numbers = tuple(place for place, kind in enumerate(types) if kind == "number")
    present = np.any([~np.isnan(c) if place in numbers else c != "" for place, c in enumerate(parts)], axis=0)
    if part.kind == "vector":
        return RawModality(Column(np.stack(parts, axis=1), present), (Impute(), Scale()), found, tuple(told))
    joined = np.stack([cells.astype(object) for cells in parts], axis=1)
    return RawModality(Column(joined, present), (Table(numbers),), found, tuple(told))
