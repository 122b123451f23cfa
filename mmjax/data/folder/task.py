"""From a folder with a task.yaml to a task, prepared once and kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from mmjax.data.cache import made
from mmjax.data.code import code_of_data
from mmjax.data.folder.places import files_of
from mmjax.data.folder.schema import FILE, KINDS, Schema, read_schema
from mmjax.data.folder.targets import read_groups, read_splits, read_target, rows_of
from mmjax.data.folder.values import read_modality
from mmjax.data.prepare import keep, make_task
from mmjax.data.prepared import read_task
from mmjax.data.protocols import parse
from mmjax.data.recipe import Modality, Variant
from mmjax.data.sources import digest
from mmjax.data.transforms.preprocessing import StepsError
from mmjax.errors import InputError
from mmjax.file_names import file_name
from mmjax.types import SPLITS, Task

MOST_PROBLEMS = 10  # told at once


def is_folder(name: str) -> bool:
    """Whether a task's name is the path of a folder with a task.yaml, `#` and a protocol after it or not."""
    path, _ = path_and_protocol(name)
    return path.name == FILE or (path / FILE).is_file() or (path.is_dir() and "/" in name)


def path_and_protocol(name: str) -> tuple[Path, str]:
    """The parts of a task's name that is a path, the protocol without its `#`; a path may have a `#` of its own."""
    place, mark, protocol = name.rpartition("#")
    whole = Path(name).expanduser()
    return (Path(place).expanduser(), protocol) if mark and not whole.exists() else (whole, "")


def load_folder(name: str, cache_dir: str) -> Task:
    """The task of a folder.

    Args:
      name: path of the folder or its task.yaml; `path#random_80_20.3` and `path#fold.2` split it so.
      cache_dir: folder of prepared data, by the contents of all files that are named.

    Raises:
      InputError: for the first thing that is wrong.
    """
    path, protocol = path_and_protocol(name)
    schema = read_schema(path.parent if path.name == FILE else path)
    accepted = ("random_80_20", "fold") if isinstance(schema.splits, str) else ("official", "random_80_20", "fold")
    split_by = parse(protocol or (schema.splits if isinstance(schema.splits, str) else "official"), accepted, str(path))
    key = digest(files_of(schema), own=True)
    title = "/".join(filter(None, (schema.name, protocol)))
    folder = Path(cache_dir).expanduser() / "tasks" / f"{file_name(title)}-{key}-{code_of_data()}"
    return read_task(made(folder, lambda beside: keep(_make(schema, title, split_by), beside)))


def problems_of(name: str) -> list[str]:
    """What is wrong with a folder, one sentence each, MOST_PROBLEMS at most; empty if it can be loaded."""
    path, _ = path_and_protocol(name)
    try:
        schema = read_schema(path.parent if path.name == FILE else path)
        rows = rows_of(schema)
    except InputError as error:
        return [str(error)]
    tries: list[Callable] = [lambda part=part: read_modality(schema, part, rows) for part in schema.modalities]
    tries += [lambda: read_target(schema, rows), lambda: read_groups(schema, rows), lambda: read_splits(schema, rows)]
    found = []
    for attempt in tries:
        try:
            attempt()
        except InputError as error:
            found.append(str(error))
    return list(dict.fromkeys(found))[:MOST_PROBLEMS]


def _make(schema: Schema, title: str, split_by: tuple[str, int]) -> Task:
    rows = rows_of(schema)
    target, values, lost = read_target(schema, rows)
    # Names of a user's own stand before a slash, which none of them holds, and the project's own have none.
    columns, modalities, told = {target.column: values}, {}, [*lost]
    for part in schema.modalities:
        column, steps, form, warnings = read_modality(schema, part, rows)
        told += warnings
        columns |= {f"{part.name}/values": column.values, f"{part.name}/present": column.present}
        if column.lengths is not None:
            columns[f"{part.name}/lengths"] = column.lengths
        modalities[part.name] = Modality(
            kind=KINDS[part.kind],
            columns=(f"{part.name}/values",),
            steps=steps,
            present=f"{part.name}/present",
            lengths=f"{part.name}/lengths" if column.lengths is not None else None,
            rate=column.rate,
            vocabulary=column.vocabulary,
            form=form,
        )
    groups, splits = read_groups(schema, rows), read_splits(schema, rows)
    if groups is not None:
        columns["groups"] = groups
    by_split = {"train": columns}
    if splits is not None:
        by_split = {split: {n: v[splits == split] for n, v in columns.items()} for split in SPLITS if split in splits}
    variant = Variant(schema.name, modalities, target)
    grouped = "groups" if groups is not None else None
    try:
        task = make_task(title, variant, split_by, by_split, groups=grouped, source=schema.source)
    except StepsError as error:
        line = next(part.reference.line for part in schema.modalities if part.name == error.modality)
        raise InputError(
            f"{schema.folder / FILE}, line {line}: {error}; give other `steps`, or leave them out"
        ) from error
    return dataclasses.replace(task, warnings=(*told, *task.warnings))
