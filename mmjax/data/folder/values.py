"""The values of each modality, in the order of the target's rows: what is missing is absent."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmjax.data.folder import arrays, media, saved_datasets, tables
from mmjax.data.folder.array_values import OVERSHOOT, modality_of_array, units_of
from mmjax.data.folder.pictures import read_pictures
from mmjax.data.folder.places import contents, is_archive, members_named, place_of
from mmjax.data.folder.schema import FILE, ModalityPart, Reference, Schema
from mmjax.data.folder.sounds import oddities, read_sounds
from mmjax.data.folder.table_columns import as_in_training, numeric_columns, side_by_side, with_points
from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.image import normalisation_of
from mmjax.data.transforms.raw_form import RawForm, RawModality
from mmjax.data.transforms.text import Clean, Tokens
from mmjax.errors import InputError


@dataclasses.dataclass(frozen=True)
class Rows:
    """Which examples there are: n of them, and the key of each where tables are joined by keys."""

    n: int
    keys: tuple[str, ...] | None


def read_modality(schema: Schema, part: ModalityPart, rows: Rows, form: RawForm | None = None) -> RawModality:
    """The raw column of a modality, the steps that preprocess it, and what was found.

    Args:
      schema, part: of the task.yaml.
      rows: the examples.
      form: what training found, to which new examples are brought; None in training.

    Raises:
      InputError: naming file, line or row, and value.
    """
    if form:
        part = as_in_training(_line(schema, part.reference), part, form)
    path = place_of(schema.folder, part.reference.line, part.reference.file)
    if tables.is_table(path):
        read = _from_table
    elif arrays.is_arrays(path):
        read = _from_arrays
    elif saved_datasets.is_saved(path):
        read = _from_saved
    elif part.kind in ("image", "waveform") and (path.is_dir() or is_archive(path)):
        read = _from_media
    else:
        raise InputError(
            f"{_line(schema, part.reference)}: {part.reference.file!r} cannot hold a modality of kind {part.kind!r}; "
            "accepted are .csv, .tsv, .parquet, .npz, .npy, saved data sets, and folders or .zip of images or sounds"
        )
    raw = read(schema, part, path, rows, form)
    if not raw.column.present.any():
        raise InputError(f"{path}: modality {part.name!r} is missing in every row; leave it out of {FILE}")
    return raw if part.steps is None else raw._replace(steps=part.steps)


def column_like(
    form: RawForm, name: str, where: str, values: np.ndarray, lengths: np.ndarray | None, rate: float
) -> Column:
    """The column of an array of new examples of a modality that a task.yaml described in training.

    Args:
      form: what training found.
      name: of the modality.
      where: how the array is called in a complaint.
      values: [n, ...]; of a table [n, columns], in the order of training.
      lengths: [n] valid steps, or None.
      rate: samples a second of sound.

    Raises:
      InputError: if it cannot be what training read.
    """
    reference = Reference(0, "", form.columns)
    part = ModalityPart(name, form.kind, reference, None, rate=rate, channels=form.channels)
    if not form.types:
        return modality_of_array(part, where, values, lengths, form).column
    if values.ndim != 2 or values.shape[1] != len(form.columns):
        raise InputError(f"{where} is {values.shape}; accepted are rows of the columns {', '.join(form.columns)}")
    form = with_points(form, form.columns if values.dtype.kind in "biuf" else ())
    strings = [_strings(cells) for cells in values.T]
    return side_by_side(part, strings, lambda row, column: f"{where}, row {row}, column {column!r}", form).column


def table_strings(schema: Schema, reference: Reference, rows: Rows | None) -> list[np.ndarray]:
    """Strings [n] of each column of a table or saved data set, in the order of the rows."""
    path = place_of(schema.folder, reference.line, reference.file)
    if not reference.columns:
        raise InputError(f"{_line(schema, reference)}: says no column; add `column: <name>`")
    if saved_datasets.is_saved(path):
        saved = saved_datasets.read_saved(path)
        found = [_strings(saved.values(column)) for column in reference.columns]
        return [_same_length(path, values, rows) for values in found]
    if arrays.is_arrays(path):
        found = [arrays.read_array(path, name) for name in reference.columns]
        texts = [_strings(values.tolist()) for values in found]
        return [_same_length(path, values, rows) for values in texts]
    if not tables.is_table(path):
        raise InputError(
            f"{_line(schema, reference)}: {reference.file!r} is no table; accepted are .csv, .tsv, .parquet"
        )
    table = tables.read_table(path, reference.delimiter)
    order = order_of(schema, table, rows)
    found = [table.strings(column) for column in reference.columns]
    return [values if order is None else np.where(order >= 0, values[order], "") for values in found]


def order_of(schema: Schema, table: tables.TableFile, rows: Rows | None) -> np.ndarray | None:
    """The table's row of each example, -1 where it has none; None where rows are as they stand.

    Raises:
      InputError: if a key is there twice or empty, or, without keys, the table has another number of rows.
    """
    if rows is None:
        return None
    if rows.keys is None:
        _same_length(table.path, table.frame.index.to_numpy(), rows)
        return None
    places = dict(zip(keys_of(schema, table), range(table.rows), strict=True))
    return np.array([places.get(key, -1) for key in rows.keys])


def keys_of(schema: Schema, table: tables.TableFile) -> tuple[str, ...]:
    """The key of each of a table's rows.

    Raises:
      InputError: if one is there twice or empty.
    """
    keys, seen = table.strings(schema.id), {}
    for row, key in enumerate(keys):
        if not key:
            raise InputError(f"{table.where(row, schema.id)}: the key is empty; every row needs one")
        if key in seen:
            raise InputError(
                f"{table.where(row, schema.id)}: key {key!r} is there twice, first at "
                f"{table.where(seen[key], schema.id)}; keep one"
            )
        seen[key] = row
    return tuple(keys)


def _from_table(schema: Schema, part: ModalityPart, path: Path, rows: Rows, form: RawForm | None) -> RawModality:
    if part.kind not in ("table", "vector", "text"):
        raise InputError(
            f"{_line(schema, part.reference)}: a table cannot hold kind {part.kind!r}; accepted are table, vector and "
            "text, and images and sounds by `file: <folder>`, `names: <table>` and `column: <of file names>`"
        )
    strings = table_strings(schema, part.reference, rows)
    if part.kind == "text":
        if len(strings) > 1:
            raise InputError(
                f"{_line(schema, part.reference)}: a text is one column; make two modalities of two columns"
            )
        return RawModality(Column(strings[0], strings[0] != ""), (Clean(), Tokens()), RawForm(kind=part.kind))
    table = tables.read_table(path, part.reference.delimiter)
    order = order_of(schema, table, rows)

    def where(row: int, column: str) -> str:
        return table.where(row if order is None else order[row], column)

    return side_by_side(part, strings, where, with_points(form, numeric_columns(path)))


def _from_arrays(schema: Schema, part: ModalityPart, path: Path, rows: Rows, form: RawForm | None) -> RawModality:
    reference = part.reference
    if len(reference.columns) > 1:
        raise InputError(f"{_line(schema, reference)}: names {len(reference.columns)} arrays; a modality is one array")
    name = reference.columns[0] if reference.columns else ""
    values = _same_length(path, arrays.read_array(path, name), rows)
    lengths = None
    if reference.lengths:
        lengths = _same_length(path, arrays.read_array(path, reference.lengths), rows)
    return modality_of_array(part, f"{path}: {name or path.name}", values, lengths, form)


def _from_media(schema: Schema, part: ModalityPart, path: Path, rows: Rows, form: RawForm | None) -> RawModality:
    suffixes = media.IMAGES if part.kind == "image" else media.SOUNDS
    held = {name: file for name, file in contents(path).items() if Path(name).suffix.lower() in suffixes}
    if not held:
        raise InputError(
            f"{path} holds no file of {', '.join(suffixes)}; put the files of modality {part.name!r} there"
        )
    told = []
    if part.reference.names:
        table = dataclasses.replace(part.reference, file=part.reference.names)
        (names,) = table_strings(schema, table, rows)
        names = members_named(names, held, part.reference)
    elif rows.keys is not None:
        names, told = media.names_by_key(path, held, rows.keys)
    else:
        _same_length(path, held, rows)
        names = media.names_in_order(path, held, _line(schema, part.reference))
    unknown = next((name for name in names if name and name not in held), None)
    if unknown is not None:
        raise InputError(
            f"{path} has no file {unknown!r}, which {part.reference.names} names; put it there or empty the cell"
        )
    return _decoded(part, [(f"{path}/{name}", held[name] if name else None) for name in names], told, form)


def _decoded(part: ModalityPart, files: Sequence[tuple], told: list[str], form: RawForm | None) -> RawModality:
    present = np.array([file is not None for _, file in files])
    if part.kind == "image":
        values, more = read_pictures(files, part.size, form)
        column, steps, found = Column(values, present), (normalisation_of(values),), RawForm(kind=part.kind)
    else:
        rate, seconds = (form.rate or part.rate, form.seconds) if form else (part.rate, part.seconds)
        values, lengths, rate, more = read_sounds(files, rate, seconds)
        column, steps = Column(values, present, lengths, rate=rate), ()
        peaks = np.abs(values).max(axis=1)
        # What is decoded or resampled is a little louder than full scale at times, and never by OVERSHOOT.
        units, told_of_units = units_of(files[int(peaks.argmax())][0], float(peaks.max()), OVERSHOOT, form)
        more += [*told_of_units, *oddities(values, present, lengths)]
        found = RawForm(kind=part.kind, seconds=seconds, units=units)
    return RawModality(column, steps, found, tuple(f"{part.name}: {sentence}" for sentence in (*told, *more)))


def _from_saved(schema: Schema, part: ModalityPart, path: Path, rows: Rows, form: RawForm | None) -> RawModality:
    saved = saved_datasets.read_saved(path)
    found = [saved.values(column) for column in part.reference.columns]
    if part.kind in ("table", "vector") and all(np.ndim(value) == 0 for values in found for value in values):
        strings = table_strings(schema, part.reference, rows)
        form = with_points(
            form, [c for c in part.reference.columns if not any(isinstance(v, str) for v in saved.values(c))]
        )
        return side_by_side(part, strings, lambda row, column: f"{path}, row {row}, column {column!r}", form)
    if len(found) != 1:
        raise InputError(f"{path}: modality {part.name!r} must be one column of the data set; add `column: <name>`")
    values = found[0]
    _same_length(path, values, rows)
    if part.kind in ("image", "waveform") and any(isinstance(value, bytes) for value in values):
        return _decoded(part, [(f"{path}, row {row}", value) for row, value in enumerate(values)], [], form)
    if part.kind == "text":
        texts = np.array(["" if value is None else str(value) for value in values])
        return modality_of_array(part, f"{path}: {part.reference.columns[0]}", texts, None, form)
    shapes = {np.shape(value) for value in values if value is not None}
    if len(shapes) != 1:
        raise InputError(
            f"{path}: column {part.reference.columns[0]!r} has rows of shapes {sorted(shapes)[:3]}; give all one"
        )
    blank = np.full(next(iter(shapes)), np.nan)
    array = np.stack([blank if value is None else np.asarray(value) for value in values])
    return modality_of_array(part, f"{path}: {part.reference.columns[0]}", array, None, form)


def _strings(values) -> np.ndarray:
    """[n] str in an array of objects, "" of None and NaN."""
    return np.array([*("" if value is None or value != value else str(value) for value in values), None], object)[:-1]


def _same_length(path: Path, values, rows: Rows | None):
    if rows is not None and len(values) != rows.n:
        raise InputError(
            f"{path} has {len(values)} rows and the target {rows.n}; give all files as many, or join them by `id`"
        )
    return values


def _line(schema: Schema, reference: Reference) -> str:
    return f"{schema.folder / FILE}, line {reference.line}"
