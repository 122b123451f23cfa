"""Raw values of new examples, modality by modality, from an npz file or a folder with a task.yaml."""

from __future__ import annotations

import warnings
import zipfile
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
WITH_LENGTHS = (
    "tokens",
    "sequence",
    "waveform",
    "video",
    "points",
)  # kinds of task.yaml whose examples may differ in it


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
    if not path.exists():
        raise InputError(f"{path} does not exist; correct the path")
    if not path.is_dir() and not zipfile.is_zipfile(path):
        raise InputError(f"{path} is neither a whole npz file nor a folder with a {FILE}; give one of them")
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
    _check_ids(fitted, column)
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


def _check_ids(fitted: Fitted, column: Column) -> None:
    """Refuses ids that no row of the table of ids is for, before a narrower type makes others of them."""
    ids, vocabulary = column.values[column.present], fitted.spec.vocabulary
    if fitted.spec.kind != "tokens" or ids.dtype.kind not in "biu" or not ids.size:
        return
    for worst in (ids.min(), ids.max()):
        if not 0 <= worst < vocabulary:
            raise InputError(
                f"modality {fitted.spec.name!r} of the new examples holds the id {worst}; the run was trained on ids "
                f"from 0 to {vocabulary - 1}; number tokens as in training"
            )


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
        extras = {extra: arrays[f"{name}.{extra}"] for extra in EXTRAS if f"{name}.{extra}" in arrays}
        if name not in arrays:
            for extra in extras:
                raise InputError(f"{path}: {name}.{extra} stands there without {name}; add {name}, or leave it out")
            continue
        values = _texts(f"{path}: {name}", arrays[name])
        if not values.ndim:
            raise InputError(f"{path}: {name} is one value; accepted are arrays with a row an example, [n, ...]")
        present = _present(f"{path}: {name}", extras.get("present", np.ones(len(values), bool)), len(values))
        lengths = _lengths(f"{path}: {name}", fitted, values, extras["lengths"]) if "lengths" in extras else None
        rate = fitted.form.rate or fitted.spec.rate
        if "rate" in extras and not rate:
            raise InputError(f"{path}: {name}.rate: modality {name!r} is no sound and has no rate; leave it out")
        rate = _rate(path, name, extras["rate"]) if "rate" in extras else rate
        if fitted.form.kind:
            column = column_like(fitted.form, name, f"{path}: {name}", values, lengths, rate)
        else:
            values = values.astype(object) if values.dtype.kind == "U" else values
            column = Column(values, np.ones(len(values), bool), lengths, fitted.spec.vocabulary, rate)
        columns[name] = column._replace(present=column.present & present)
    return columns


def _texts(where: str, values: np.ndarray) -> np.ndarray:
    """An array, of which bytes are read as UTF-8."""
    if values.dtype.kind != "S":
        return values
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{where} holds bytes that are no UTF-8 ({error}); save it as text, dtype str") from error


def _present(where: str, present: np.ndarray, n: int) -> np.ndarray:
    """[n] bool, of truth values or of 0 and 1."""
    if present.dtype.kind not in "biuf" or present.shape != (n,) or not np.isin(present, (0, 1)).all():
        held = f"{present.dtype} of shape {present.shape}"
        odd = present[~np.isin(present, (0, 1))] if present.dtype.kind in "iuf" and present.ndim else []
        raise InputError(
            f"{where}.present is {held}{f' and holds {odd[0]}' if len(odd) else ''}; accepted are truth values, or 0 "
            f"and 1, of shape ({n},), one an example"
        )
    return present.astype(bool)


def _lengths(where: str, fitted: Fitted, values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """[n] int32 valid steps."""
    if fitted.form.kind:
        takes = fitted.form.kind in WITH_LENGTHS
    else:  # a sequence of two axes may have become one vector
        takes = values.dtype.kind not in "UO" and (fitted.spec.has_length or values.ndim != len(fitted.spec.shape) + 1)
    if not takes or values.ndim < 2:
        raise InputError(f"{where}.lengths: the modality has no steps of which some could be padding; leave it out")
    most = values.shape[1]
    if (
        lengths.dtype.kind not in "iu"
        or lengths.shape != (len(values),)
        or (lengths > most).any()
        or (lengths < 0).any()
    ):
        raise InputError(
            f"{where}.lengths is {lengths.dtype} of shape {lengths.shape}; accepted are whole numbers from 0 to {most} "
            f"of shape ({len(values)},), one an example"
        )
    return lengths.astype(np.int32)


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
