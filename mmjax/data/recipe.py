"""How a data set becomes a task: which features each modality has, how they are preprocessed, what is predicted."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

import numpy as np

from mmjax.data.dataset import Columns, Dataset
from mmjax.data.entry import TaskEntry
from mmjax.data.transforms.contract import Transform
from mmjax.data.transforms.raw_form import RawForm


@dataclasses.dataclass(frozen=True)
class Modality:
    """One modality of a task.

    Attributes:
      kind: one of MODALITY_KINDS.
      columns: features of the data set, joined on their last axis where there are several.
      steps: preprocessing, in order.
      present: feature that says whether an example has the modality; None where all have it.
      lengths: feature with the number of valid steps; None where all are valid.
      rate: samples per second, of sound.
      vocabulary: number of ids, where the feature holds ids.
      form: what reading found of the raw values, beyond what they show themselves.
    """

    kind: str
    columns: tuple[str, ...]
    steps: tuple[Transform, ...] = ()
    present: str | None = None
    lengths: str | None = None
    rate: float = 0.0
    vocabulary: int = 0
    form: RawForm = RawForm()


@dataclasses.dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes:
      kind: one of TARGET_KINDS.
      column: feature of the data set: classes from 0, or numbers [n] or [n, K].
      names: of the classes.
      scale: one of SCALE_KINDS, of the values of a regression; "" lets train's values decide.
    """

    kind: str
    column: str
    names: tuple[str, ...] = ()
    scale: str = ""


@dataclasses.dataclass(frozen=True)
class Variant:
    """One task that a data set gives.

    Attributes:
      summary: one line.
      modalities: name -> Modality, in order.
      target: what is predicted.
      rows: columns -> [n] bool, examples that belong to it; None takes all.
      protocol: the one it has without a word, as `official` or `fold.0`.
      tags: beside the recipe's own.
      contaminated: as a Task has it.
    """

    summary: str
    modalities: Mapping[str, Modality]
    target: Target
    rows: Callable[[Columns], np.ndarray] | None = None
    protocol: str = "official"
    tags: tuple[str, ...] = ()
    contaminated: str = ""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The tasks of one data set.

    Attributes:
      dataset: where the rows come from.
      make_builder: TFDS data_dir -> its builder; imports TFDS when called.
      variants: name -> Variant; "" is the one that carries the data set's name alone.
      source: one line for tables' footers.
      tags: domains and lists of all variants.
      protocols: names of PROTOCOLS that it can be split by.
      groups: feature whose examples of one value are never in two splits.
      folds: feature with the data set's own folds.
    """

    dataset: Dataset
    make_builder: Callable[[str], object]
    variants: Mapping[str, Variant]
    source: str
    tags: tuple[str, ...]
    protocols: tuple[str, ...]
    groups: str | None = None
    folds: str | None = None


def entries_of(recipe: Recipe) -> dict[str, TaskEntry]:
    """A line in the registry for each variant."""
    from mmjax.data.prepare import load_recipe  # which needs this file

    entries = {}
    for name, variant in recipe.variants.items():
        entries["/".join(filter(None, (recipe.dataset.name, name)))] = TaskEntry(
            summary=variant.summary,
            load=functools.partial(load_recipe, recipe, name),
            kinds={modality: spec.kind for modality, spec in variant.modalities.items()},
            target=variant.target.kind,
            tags=(*recipe.tags, *variant.tags),
            configs=() if name else tuple(filter(None, recipe.variants)),
            protocols=recipe.protocols,
            needs_files=True,
            contaminated=variant.contaminated,
        )
    return entries
