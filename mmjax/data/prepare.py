"""From a recipe to a task: rows are read, split, preprocessed by what train says, and kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.build import built
from mmjax.data.cache import made
from mmjax.data.check import check_task
from mmjax.data.cleaning import cleaning_report
from mmjax.data.code import code_of_data
from mmjax.data.conflict import contradict
from mmjax.data.dataset import Columns
from mmjax.data.prepared import read_task, write_task
from mmjax.data.protocols import Layout, parse, rows_of
from mmjax.data.recipe import Modality, Recipe, Variant
from mmjax.data.sources import digest, find_layout
from mmjax.data.target_scale import fit_scales
from mmjax.data.transforms import preprocessing
from mmjax.data.transforms.contract import Column
from mmjax.types import SPLITS, Batch, TargetSpec, Task


def load_recipe(recipe: Recipe, variant: str, data_dir: str | None, cache_dir: str, protocol: str = "") -> Task:
    """One of a recipe's tasks, from the cache if it was prepared from the same files by the same code.

    Args:
      recipe, variant: which task.
      data_dir: folder of the raw files; None downloads them.
      cache_dir: folder of downloads and prepared data.
      protocol: how it is split, as in `random_80_20.3`; "" is the variant's own.

    Raises:
      InputError: for an unknown protocol, missing or broken files.
    """
    chosen = recipe.variants[variant]
    base = "/".join(filter(None, (recipe.dataset.name, variant)))
    name = "/".join(filter(None, (base, protocol)))
    split_by = parse(protocol or chosen.protocol, recipe.protocols, base)
    paths = {} if data_dir is None else find_layout(data_dir, recipe.dataset.layouts)[1]
    key = digest(paths) if paths else "downloads"
    cache = Path(cache_dir).expanduser()

    def write(folder: Path):
        place = f"{recipe.dataset.name}-{key}-{code_of_data()}"
        rows = read_rows(built(recipe.make_builder, place, data_dir, cache))
        how = {"groups": recipe.groups, "folds": recipe.folds, "source": recipe.source}
        keep(make_task(name, chosen, split_by, rows, **how), folder)

    return read_task(made(cache / "tasks" / f"{name.replace('/', '.')}-{key}-{code_of_data()}", write))


def keep(task: Task, folder: Path) -> None:
    """Writes a task into a folder that exists, with its cleaning report, whose warnings are added to the task's.

    Raises:
      InputError: if the task does not hold what its specs say.
    """
    check_task(task)
    report = cleaning_report(task)
    write_task(dataclasses.replace(task, warnings=(*task.warnings, *report.warnings)), folder)
    (folder / "cleaning.json").write_text(json.dumps(report.to_dict(), indent=1), encoding="utf-8")


def read_rows(builder) -> dict[str, Columns]:
    """split -> feature -> [n, ...] of a prepared TFDS data set; strings are in an array of objects."""
    import tensorflow_datasets as tfds

    rows = {}
    for split in builder.info.splits:
        source = builder.as_data_source(split)
        examples = source.__getitems__(range(len(source)))
        rows[split] = {}
        for name, feature in builder.info.features.items():
            values = [example[name] for example in examples]
            if isinstance(feature, tfds.features.Text):
                strings = [value.decode() if isinstance(value, bytes) else str(value) for value in values]
                rows[split][name] = np.array(strings, object)
            else:
                rows[split][name] = np.stack(values)
    return rows


def make_task(
    name: str,
    variant: Variant,
    split_by: tuple[str, int],
    rows: Mapping[str, Columns],
    *,
    groups: str | None = None,
    folds: str | None = None,
    source: str = "",
) -> Task:
    """A task in memory.

    Args:
      name: of the task.
      variant: what it is made of.
      split_by: name and number of a protocol.
      rows: split -> columns, as the data set has them.
      groups, folds, source: as a Recipe has them.

    Raises:
      InputError: if a split would be empty.
    """
    columns, official = _joined(rows, variant)
    labels = columns[variant.target.column]
    classified = variant.target.kind in ("binary", "multiclass")
    group_names, grouped = ((), None) if groups is None else np.unique(columns[groups], return_inverse=True)
    own_folds = None if folds is None else columns[folds].astype(int)
    names = variant.target.names
    layout = Layout(labels if classified else None, grouped, official, own_folds, names, group_names)
    places = rows_of(*split_by, layout)
    fitted, inputs = {}, {}
    for modality, spec in variant.modalities.items():
        column = column_of(columns, spec)
        fitted[modality] = preprocessing.fit(modality, spec.kind, spec.steps, column.take(places["train"]), spec.form)
        inputs[modality] = {split: fitted[modality].apply(column.take(places[split])) for split in SPLITS}
    size = len(variant.target.names) if variant.target.kind == "multiclass" else _outputs(variant.target.kind, labels)
    scales = ()
    if variant.target.kind == "regression":
        scales = fit_scales(_target(labels[places["train"]], classified), variant.target.scale)
    task = Task(
        name=name,
        modalities=tuple(each.spec for each in fitted.values()),
        target=TargetSpec(variant.target.kind, size, scales),
        splits={split: _batch(split, inputs, _target(labels[places[split]], classified)) for split in SPLITS},
        class_names=variant.target.names,
        source=source,
        warnings=tuple(preprocessing.cut_warnings(inputs)),
        groups={} if grouped is None else {split: grouped[places[split]] for split in SPLITS},
        preprocessing=fitted,
        contaminated=variant.contaminated,
    )
    return contradict(task, seed=split_by[1]) if split_by[0] == "conflict" else task


def column_of(columns: Columns, modality: Modality) -> Column:
    """The raw values of a modality, of all rows."""
    arrays = [columns[name] for name in modality.columns]
    values = arrays[0] if len(arrays) == 1 else _side_by_side(arrays)
    present = np.ones(len(values), bool) if modality.present is None else columns[modality.present].astype(bool)
    lengths = None if modality.lengths is None else columns[modality.lengths].astype(np.int32)
    return Column(values, present, lengths, modality.vocabulary, modality.rate)


def _side_by_side(arrays: list[np.ndarray]) -> np.ndarray:
    """[n, ..., k] of arrays that are [n, ..., k_i], or [n], which counts as k_i = 1; objects if one holds strings."""
    columns = [array[:, None] if array.ndim == 1 else array for array in arrays]
    if any(column.dtype == object for column in columns):
        columns = [column.astype(object) for column in columns]
    return np.concatenate(columns, axis=-1)


def _joined(rows: Mapping[str, Columns], variant: Variant) -> tuple[Columns, dict[str, np.ndarray]]:
    """All rows of a variant under each other, and which of them are in which split of the data set."""
    splits = [split for split in SPLITS if split in rows]
    columns = {name: np.concatenate([rows[split][name] for split in splits]) for name in rows[splits[0]]}
    of_split = np.repeat(splits, [len(next(iter(rows[split].values()))) for split in splits])
    if variant.rows is not None:
        chosen = variant.rows(columns)
        columns, of_split = {name: values[chosen] for name, values in columns.items()}, of_split[chosen]
    return columns, {split: np.flatnonzero(of_split == split) for split in splits}


def _target(labels: np.ndarray, classified: bool) -> np.ndarray:
    return labels.astype(np.int32) if classified else labels.reshape(len(labels), -1).astype(np.float32)


def _outputs(kind: str, labels: np.ndarray) -> int:
    return 1 if kind == "binary" else int(np.prod(labels.shape[1:]))


def _batch(split: str, inputs: Mapping[str, Mapping[str, Column]], target: np.ndarray) -> Batch:
    columns = {name: values[split] for name, values in inputs.items()}
    return Batch(
        inputs={name: column.values for name, column in columns.items()},
        lengths={name: column.lengths for name, column in columns.items() if column.lengths is not None},
        present={name: column.present for name, column in columns.items()},
        target=target,
        weight=np.ones(len(target), np.float32),
    )
