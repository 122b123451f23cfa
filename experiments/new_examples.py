"""Raw values of new examples, modality by modality, from an npz file or a folder with a task.yaml."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from mmjax.data.folder.schema import FILE, read_schema
from mmjax.data.folder.targets import rows_of
from mmjax.data.folder.values import column_like, read_modality
from mmjax.data.sources import reading
from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.preprocessing import Fitted, cut_warnings
from mmjax.data.transforms.raw_form import bring
from mmjax.data.transforms.tabular import Table
from mmjax.errors import InputError, unknown_name

EXTRAS = ("present", "lengths", "rate")


class NewExamplesWarning(UserWarning):
    """What a reader of predictions must know of the new examples."""


def read_new_examples(path: Path, preprocessing: Mapping[str, Fitted]) -> dict[str, Column]:
    """Raw columns of the modalities that are there.

    Args:
      path: of the file or folder.
      preprocessing: of the modalities that a run was trained on.

    Raises:
      InputError: if it cannot be read, has another modality, none that is known, or arrays of different lengths.
    """
    columns = _of_folder(path, preprocessing) if path.is_dir() else _of_archive(path, preprocessing)
    sizes = {name: len(column.values) for name, column in columns.items()}
    if len(set(sizes.values())) != 1:
        raise InputError(f"{path}: modalities have {sizes or 'no'} examples; give each as many, in the same order")
    if not all(sizes.values()):
        raise InputError(f"{path} holds no example; give at least one")
    return columns


def make_ready(fitted: Fitted, column: Column | None, n: int) -> Column:
    """A modality as its encoder takes it; all absent where the column is None.

    Raises:
      InputError: if the values are not what its steps were fitted on.
    """
    name, shape = fitted.spec.name, fitted.spec.shape
    if column is None:
        return fitted.absent(n)
    what = f"modality {name!r} of the new examples, {column.values.dtype} of shape {column.values.shape},"
    try:
        column = bring(fitted.form, fitted.spec.kind, what, column)
        ready = fitted.apply(column)
    except InputError:
        raise
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(f"{what} is not what its preprocessing was fitted on: {error}") from error
    if ready.values.shape[1:] != shape:
        raise InputError(
            f"{what} becomes {ready.values.shape[1:]}, and must become {shape}; give raw values as in training"
        )
    if not np.isfinite(ready.values).all():
        row = int(np.argwhere(~np.isfinite(ready.values))[0][0])
        raise InputError(f"{what} is not finite in row {row}; mark the row as absent with {name}.present")
    _tell(cut_warnings({name: {"the new examples": ready}}))
    for step, state in zip(fitted.steps, fitted.states, strict=True):
        if isinstance(step, Table):
            _tell(_unseen(fitted, step.unseen(state, column)))
    return ready


def tell_of_classes(path: Path, class_names: Sequence[str]) -> None:
    """Says so where a folder's task.yaml calls the classes otherwise than the task that a run was trained on."""
    named = read_schema(path).target.classes if path.is_dir() else ()
    if named and tuple(named) != tuple(class_names):
        told = f"{path / FILE} names the classes {', '.join(named)}, and predictions carry the names that the run was "
        _tell([f"{told}trained on: {', '.join(class_names)}"])


def _unseen(fitted: Fitted, unseen: Mapping[int, Sequence[str]]) -> Iterator[str]:
    for place, values in unseen.items():
        column = fitted.form.columns[place] if fitted.form.columns else f"number {place}"
        told = f"{fitted.spec.name}: column {column!r} holds categories that training did not have"
        yield f"{told}, which tell the model nothing: {', '.join(map(repr, values[:5]))}"


def _tell(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        warnings.warn(sentence, NewExamplesWarning, stacklevel=3)


def _of_archive(path: Path, preprocessing: Mapping[str, Fitted]) -> dict[str, Column]:
    with reading(path, own=True), np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    accepted = [*preprocessing, *(f"{name}.{extra}" for name in preprocessing for extra in EXTRAS)]
    for name in arrays:
        if name not in accepted:
            raise InputError(f"{path}: {unknown_name('array', name, accepted)}")
    columns = {}
    for name, fitted in preprocessing.items():
        if name not in arrays:
            continue
        values, lengths = arrays[name], arrays.get(f"{name}.lengths")
        for extra in EXTRAS[:2]:
            if len(arrays.get(f"{name}.{extra}", values)) != len(values):
                raise InputError(
                    f"{path}: {name}.{extra} has another length than {name}, {len(values)}; give one a row"
                )
        known = fitted.form.rate or fitted.spec.rate
        rate = _rate(path, name, arrays[f"{name}.rate"]) if f"{name}.rate" in arrays else known
        if fitted.form.kind:
            column = column_like(fitted.form, name, f"{path}: {name}", values, lengths, rate)
        else:
            values = values.astype(object) if values.dtype.kind == "U" else values
            lengths = None if lengths is None else lengths.astype(np.int32)
            column = Column(values, np.ones(len(values), bool), lengths, fitted.spec.vocabulary, rate)
        there = np.asarray(arrays.get(f"{name}.present", column.present), bool)
        columns[name] = column._replace(present=column.present & there)
    return columns


def _rate(path: Path, name: str, value) -> float:
    rate = np.asarray(value)
    if rate.size != 1 or rate.dtype.kind not in "iuf" or not np.isfinite(rate).all() or (rate <= 0).any():
        raise InputError(f"{path}: {name}.rate is {rate.tolist()}; accepted are samples a second, one number above 0")
    return float(rate.reshape(()))


def _of_folder(path: Path, preprocessing: Mapping[str, Fitted]) -> dict[str, Column]:
    schema = read_schema(path)
    rows = rows_of(schema)
    columns = {}
    for part in schema.modalities:
        if part.name not in preprocessing:
            raise InputError(f"{path / FILE}: {unknown_name('modality', part.name, preprocessing)}")
        raw = read_modality(schema, part, rows, preprocessing[part.name].form)
        columns[part.name] = raw.column
        _tell(raw.warnings)
    return columns
