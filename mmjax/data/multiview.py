"""Data sets of several feature vectors an example, kept in one MATLAB file: cells X and classes from 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from mmjax.data.dataset import Array, Columns, Dataset, Label, Layout
from mmjax.data.recipe import Modality, Recipe, Target, Variant
from mmjax.data.sources import Source, reading
from mmjax.data.transforms.tabular import Scale
from mmjax.errors import InputError


def multiview_recipe(
    name: str,
    views: Mapping[str, int],
    classes: int,
    labels: str,
    source: Source,
    make_builder: Callable[[str], object],
    summary: str,
    homepage: str,
) -> Recipe:
    """The recipe of such a data set; its views are scaled to [0, 1] by train, as this field does.

    Args:
      name: of the data set.
      views: name -> features, in the file's order.
      classes: how many.
      labels: the file's field of classes.
      source: the file.
      make_builder: TFDS data_dir -> builder.
      summary: one line.
      homepage: where a person reads about it.
    """
    names = tuple(str(label) for label in range(classes))
    dataset = Dataset(
        name=name,
        version="1.0.0",
        features={view: Array((width,)) for view, width in views.items()} | {"label": Label(names)},
        layouts=(Layout((source,), lambda paths: {"train": read_views(paths[source.file], views, labels, classes)}),),
        homepage=homepage,
    )
    modalities = {view: Modality("vector", (view,), (Scale("min_max"),)) for view in views}
    variant = Variant(
        summary, modalities, Target("multiclass", "label", names), protocol="random_80_20", tags=("full",)
    )
    return Recipe(
        dataset=dataset,
        make_builder=make_builder,
        variants={"": variant},
        source=source.origin,
        tags=("multiview",),
        protocols=("random_80_20", "fold", "conflict"),
    )


def read_views(path: Path, views: Mapping[str, int], labels: str, classes: int) -> Columns:
    """View -> float32 [n, features], and "label" -> int64 [n] from 0.

    Raises:
      InputError: if the file cannot be read, lacks a field, or holds a value that is not finite or no class.
    """
    import scipy.io

    with reading(path):
        contents = scipy.io.loadmat(path)
        missing = [field for field in ("X", labels) if field not in contents]
    if missing:
        raise InputError(f"{path} has no field {missing[0]!r}; get it again from its source")
    label, cells = contents[labels].ravel(), contents["X"].ravel()
    if label.dtype.kind not in "biuf" or not len(label):
        raise InputError(f"{path}: {labels} is {label.dtype} {label.shape}, and must be numbers, one an example")
    wrong = (label < 1) | (label > classes) | (label != np.round(label))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"{path}: {labels}, row {row} is {label[row]:g}; accepted are classes 1 to {classes}")
    if contents["X"].dtype != object or len(cells) != len(views):
        raise InputError(f"{path}: X must be {len(views)} cells, a matrix a view; get the file again")
    columns = {"label": label.astype(np.int64) - 1}
    for place, (view, width) in enumerate(views.items()):
        values = cells[place]
        values = values.T if values.shape == (width, len(label)) else values  # some files keep examples in columns
        if values.shape != (len(label), width) or values.dtype.kind not in "biuf":
            raise InputError(
                f"{path}: cell {place} of X is {values.dtype} {values.shape}, and must be numbers of shape "
                f"{(len(label), width)}"
            )
        if not np.isfinite(values).all():
            row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise InputError(
                f"{path}: cell {place} of X, row {row}, column {column} is {values[row, column]}; values must be finite"
            )
        columns[view] = values.astype(np.float32)
    return columns
