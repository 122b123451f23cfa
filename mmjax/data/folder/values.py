"""The values of each modality, in the order of the target's rows: what is missing is absent."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from mmjax.data.folder import arrays, media, saved_datasets, tables
from mmjax.data.folder.places import contents, is_archive, members_named, place_of
from mmjax.data.folder.schema import FILE, KINDS, ModalityPart, Reference, Schema
from mmjax.data.transforms.contract import Column, Transform
from mmjax.data.transforms.image import Channels, Normalise
from mmjax.data.transforms.points import NormalisePoints
from mmjax.data.transforms.series import Window
from mmjax.data.transforms.tabular import Impute, Scale, Table
from mmjax.data.transforms.text import Clean, Tokens
from mmjax.errors import InputError

AXES = {"vector": 2, "tokens": 2, "image": 4, "sequence": 3, "waveform": 2, "video": 5, "points": 3}


@dataclasses.dataclass(frozen=True)
class Rows:
    """Which examples there are: n of them, and the key of each where tables are joined by keys."""

    n: int
    keys: tuple[str, ...] | None


def read_modality(schema: Schema, part: ModalityPart, rows: Rows) -> tuple[Column, tuple[Transform, ...]]:
    """The raw column of a modality, and the steps that preprocess it.

    Raises:
      InputError: naming file, line or row, and value.
    """
    path = place_of(schema.folder, part.reference.line, part.reference.file)
    if tables.is_table(path):
        column, steps = _from_table(schema, part, path, rows)
    elif arrays.is_arrays(path):
        column, steps = _from_arrays(schema, part, path, rows)
    elif saved_datasets.is_saved(path):
        column, steps = _from_saved(schema, part, path, rows)
    elif part.kind in ("image", "waveform") and (path.is_dir() or is_archive(path)):
        column, steps = _from_media(schema, part, path, rows)
    else:
        raise InputError(
            f"{_line(schema, part.reference)}: {part.reference.file!r} cannot hold a modality of kind {part.kind!r}; "
            "accepted are .csv, .tsv, .parquet, .npz, .npy, saved data sets, and folders or .zip of images or sounds"
        )
    if not column.present.any():
        raise InputError(f"{path}: modality {part.name!r} is missing in every row; leave it out of {FILE}")
    return column, steps if part.steps is None else part.steps


def table_strings(schema: Schema, reference: Reference, rows: Rows | None) -> list[np.ndarray]:
    """Strings [n] of each column of a table or saved data set, in the order of the rows."""
    path = place_of(schema.folder, reference.line, reference.file)
    if not reference.columns:
        raise InputError(f"{_line(schema, reference)}: says no column; add `column: <name>`")
    if saved_datasets.is_saved(path):
        saved = saved_datasets.read_saved(path)
        found = [np.array(["" if v is None else str(v) for v in saved.values(c)], object) for c in reference.columns]
        return [_same_length(path, values, rows) for values in found]
    if arrays.is_arrays(path):
        found = [arrays.read_array(path, name) for name in reference.columns]
        texts = [np.array(["" if v != v else str(v) for v in values.tolist()], object) for values in found]
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


def _from_table(schema: Schema, part: ModalityPart, path: Path, rows: Rows):
    if part.kind not in ("table", "vector", "text"):
        raise InputError(
            f"{_line(schema, part.reference)}: a table cannot hold kind {part.kind!r}; accepted are table, vector and "
            "text, and images and sounds by `file: <folder>`, `names: <table>` and `column: <of file names>`"
        )
    strings = table_strings(schema, part.reference, rows)
    present = np.any([values != "" for values in strings], axis=0)
    if part.kind == "text":
        if len(strings) > 1:
            raise InputError(
                f"{_line(schema, part.reference)}: a text is one column; make two modalities of two columns"
            )
        return Column(strings[0], present), (Clean(), Tokens())
    table = tables.read_table(path, part.reference.delimiter)
    order = order_of(schema, table, rows)

    def numbers_of(place: int) -> np.ndarray:
        found = table.numbers(part.reference.columns[place])
        return found if order is None else np.where(order >= 0, found[order], np.nan)

    return _side_by_side(part, strings, numbers_of)


def _side_by_side(part: ModalityPart, strings: list[np.ndarray], numbers_of: Callable[[int], np.ndarray]):
    """A table or vector of columns, of which those that hold numbers all over are numbers."""
    numbers = [place for place, values in enumerate(strings) if part.kind == "vector" or _are_numbers(values)]
    joined = np.empty((len(strings[0]), len(strings)), object)
    for place, values in enumerate(strings):
        joined[:, place] = numbers_of(place) if place in numbers else values
    present = np.any([values != "" for values in strings], axis=0)
    if part.kind == "vector":
        return Column(joined.astype(np.float64), present), (Impute(), Scale())
    return Column(joined, present), (Table(tuple(numbers)),)


def _from_arrays(schema: Schema, part: ModalityPart, path: Path, rows: Rows):
    reference = part.reference
    if len(reference.columns) > 1:
        raise InputError(f"{_line(schema, reference)}: names {len(reference.columns)} arrays; a modality is one array")
    name = reference.columns[0] if reference.columns else ""
    values = _same_length(path, arrays.read_array(path, name), rows)
    lengths = None
    if reference.lengths:
        lengths = _same_length(path, arrays.read_array(path, reference.lengths), rows)
    return _typed(part, f"{path}: {name or path.name}", values, lengths)


def _typed(part: ModalityPart, where: str, values: np.ndarray, lengths: np.ndarray | None):
    """A column of an array, checked against what the kind must be."""
    kind = KINDS[part.kind]
    if part.kind == "text":
        if values.dtype.kind != "U" or values.ndim != 1:
            raise InputError(f"{where} is {values.dtype} {values.shape}, and a text must be strings of shape (n,)")
        texts = np.array([*values.tolist(), None], object)[:-1]
        return Column(texts, np.array([bool(text.strip()) for text in texts])), (Clean(), Tokens())
    plain = kind == "image" and values.ndim == 3
    wanted = "whole numbers" if kind == "tokens" else "numbers"
    if values.dtype.kind not in ("biu" if kind == "tokens" else "biuf") or values.ndim + plain != AXES[kind]:
        raise InputError(
            f"{where} is {values.dtype} {values.shape}, and kind {part.kind!r} must be {wanted} of {AXES[kind]} axes"
        )
    if 0 in values.shape:
        raise InputError(f"{where} is {values.shape}: an example holds nothing; give at least one number each")
    present = np.ones(len(values), bool)
    if values.dtype.kind == "f":
        flat = values.reshape(len(values), -1)
        present = ~np.isnan(flat).all(axis=1)
        wrong = np.isinf(flat) if kind == "vector" else ~np.isfinite(flat) & present[:, None]
        if wrong.any():
            row = int(np.argwhere(wrong)[0][0])
            raise InputError(
                f"{where}, row {row} holds {flat[row][wrong[row]][0]}; accepted are finite numbers, or NaN all over"
            )
    if lengths is not None:
        most = values.shape[1]
        if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or (lengths < 0).any() or (lengths > most).any():
            raise InputError(f"{where}: lengths must be whole numbers from 0 to {most}, one an example")
        present &= lengths > 0
    if kind == "tokens":
        if values.min() < 0:
            raise InputError(f"{where} holds the id {values.min()}; accepted are 0 (padding) and more")
        if lengths is None:
            lengths = np.where(values > 0, np.arange(1, values.shape[1] + 1), 0).max(axis=1)
            present &= lengths > 0
    if part.kind == "waveform" and not part.rate:
        raise InputError(f"{where}: sound in an array needs its rate; add `rate: <samples a second>` to the modality")
    lengths = None if lengths is None else lengths.astype(np.int32)
    column = Column(values, present, lengths, int(values.max()) + 1 if kind == "tokens" else 0, float(part.rate))
    return column, _steps_of(kind, values, plain)


def _steps_of(kind: str, values: np.ndarray, plain: bool) -> tuple[Transform, ...]:
    scaled = Normalise("unit" if values.dtype == np.uint8 else "standard")
    return {
        "vector": (Impute(), Scale()),
        "image": (Channels(), scaled) if plain else (scaled,),
        "video": (scaled,),
        "sequence": (Window(), Scale()),
        "points": (NormalisePoints(),),
    }.get(kind, ())


def _from_media(schema: Schema, part: ModalityPart, path: Path, rows: Rows):
    suffixes = media.IMAGES if part.kind == "image" else media.SOUNDS
    held = {name: file for name, file in contents(path).items() if Path(name).suffix.lower() in suffixes}
    if not held:
        raise InputError(
            f"{path} holds no file of {', '.join(suffixes)}; put the files of modality {part.name!r} there"
        )
    if part.reference.names:
        table = dataclasses.replace(part.reference, file=part.reference.names)
        (names,) = table_strings(schema, table, rows)
        names = members_named(names, held, part.reference)
    elif rows.keys is not None:
        stems = {Path(name).stem: name for name in held}
        names = np.array([stems.get(key, "") for key in rows.keys], object)
    else:
        names = np.array([*sorted(held), None], object)[:-1]
        _same_length(path, names, rows)
    unknown = next((name for name in names if name and name not in held), None)
    if unknown is not None:
        raise InputError(
            f"{path} has no file {unknown!r}, which {part.reference.names} names; put it there or empty the cell"
        )
    return _decoded(part, [(f"{path}/{name}", held[name] if name else None) for name in names])


def _decoded(part: ModalityPart, files: Sequence[tuple]):
    present = np.array([file is not None for _, file in files])
    if part.kind == "image":
        return Column(media.read_images(files, part.size), present), (Normalise(),)
    values, lengths, rate = media.read_sounds(files, part.rate, part.seconds)
    return Column(values, present, lengths, rate=float(rate)), ()


def _from_saved(schema: Schema, part: ModalityPart, path: Path, rows: Rows):
    saved = saved_datasets.read_saved(path)
    found = [saved.values(column) for column in part.reference.columns]
    if part.kind in ("table", "vector") and all(np.ndim(value) == 0 for values in found for value in values):
        strings = table_strings(schema, part.reference, rows)
        return _side_by_side(part, strings, lambda place: _as_numbers(f"{path}: {part.name}", strings[place]))
    if len(found) != 1:
        raise InputError(f"{path}: modality {part.name!r} must be one column of the data set; add `column: <name>`")
    values = found[0]
    _same_length(path, values, rows)
    if part.kind in ("image", "waveform") and any(isinstance(value, bytes) for value in values):
        return _decoded(part, [(f"{path}, row {row}", value) for row, value in enumerate(values)])
    if part.kind == "text":
        texts = np.array([*("" if value is None else str(value) for value in values), None], object)[:-1]
        return Column(texts, np.array([bool(text.strip()) for text in texts])), (Clean(), Tokens())
    shapes = {np.shape(value) for value in values if value is not None}
    if len(shapes) != 1:
        raise InputError(
            f"{path}: column {part.reference.columns[0]!r} has rows of shapes {sorted(shapes)[:3]}; give all one"
        )
    blank = np.full(next(iter(shapes)), np.nan)
    array = np.stack([blank if value is None else np.asarray(value) for value in values])
    return _typed(part, f"{path}: {part.reference.columns[0]}", array, None)


def _as_numbers(where: str, strings: np.ndarray) -> np.ndarray:
    """Numbers of strings, NaN of empty ones."""
    import pandas

    found = pandas.to_numeric(pandas.Series(strings), errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(np.isnan(found) & (strings != ""))
    if len(wrong):
        raise InputError(f"{where}, row {wrong[0]}: {strings[wrong[0]]!r} is no number; correct it or empty the cell")
    return found


def _are_numbers(strings: np.ndarray) -> bool:
    import pandas

    there = strings[strings != ""]
    return bool(len(there)) and not np.isnan(pandas.to_numeric(there, errors="coerce").astype(float)).any()


def _same_length(path: Path, values, rows: Rows | None):
    if rows is not None and len(values) != rows.n:
        raise InputError(
            f"{path} has {len(values)} rows and the target {rows.n}; give all files as many, or join them by `id`"
        )
    return values


def _line(schema: Schema, reference: Reference) -> str:
    return f"{schema.folder / FILE}, line {reference.line}"
