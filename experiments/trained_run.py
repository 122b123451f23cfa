"""A run that was kept with its parameters, and what it says of new examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd

from experiments.kept_preprocessing import Kept, load_kept
from experiments.new_examples import make_ready
from experiments.store import parameters_as_written
from mmjax.config import DEFAULTS
from mmjax.data.sources import reading
from mmjax.data.transforms.contract import Column
from mmjax.errors import InputError
from mmjax.evaluation.metrics import decisions, probabilities
from mmjax.model import MultimodalModel, build_model
from mmjax.training.checkpoint import load_parameters
from mmjax.training.units import to_own
from mmjax.types import Batch

CHUNK = 500  # examples at once


class TrainedRun(NamedTuple):
    """A run as new examples need it.

    Attributes:
      title: task, fusion, strategy and seed.
      kept: preprocessing and target of its task.
      model: built as it was trained.
      theta: parameters and batch statistics of its best epoch.
    """

    title: str
    kept: Kept
    model: MultimodalModel
    theta: Mapping

    def predict(self, columns: Mapping[str, Column]) -> pd.DataFrame:
        """A line an example: `decision`, and a probability a class or label, or the values of a regression.

        Args:
          columns: raw values of modalities, of one at least; the others are absent.

        Raises:
          InputError: if they are not what the preprocessing was fitted on.
        """
        n = len(next(iter(columns.values())).values)
        ready = {name: make_ready(each, columns.get(name), n) for name, each in self.kept.preprocessing.items()}
        names = [spec.name for spec in self.model.modalities]
        apply = jax.jit(lambda batch: to_own(self.kept.target, self.model.apply(self.theta, batch).logits))
        parts = [np.asarray(apply(_batch(ready, names, slice(i, i + CHUNK)))) for i in range(0, n, CHUNK)]
        return self._frame(np.concatenate(parts))

    def _frame(self, logits: np.ndarray) -> pd.DataFrame:
        target, names = self.kept.target, self.kept.class_names
        if target.kind == "regression":
            return pd.DataFrame(logits, columns=[f"value {place}" for place in range(target.size)])
        said, chosen = probabilities(target, logits), decisions(target, logits)
        if target.kind == "multilabel":
            return pd.DataFrame(said, columns=names or [f"label {place}" for place in range(target.size)])
        names = names or tuple(map(str, range(target.classes)))
        frame = pd.DataFrame(said, columns=[f"probability of {name}" for name in names])
        frame.insert(0, "decision", [names[int(label)] for label in np.ravel(chosen)])
        return frame


def read_run(folder: Path) -> TrainedRun:
    """A run's folder in a workdir.

    Raises:
      InputError: if it is none, was kept without parameters, or has other parameters than were written.
    """
    if not (folder / "config.json").is_file():
        told = "is no folder of a run: it has no config.json" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {told}; give a folder of `runs` in a workdir")
    with reading(folder / "config.json"):
        identity = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if not (folder / "parameters").is_dir():
        raise InputError(
            f"{folder} has no parameters: launch the task with --keep_parameters, and with --noresume if the run is "
            "there already, and give a run that is trained itself, no baseline and no rule that combines others"
        )
    parameters = parameters_as_written(folder)
    if parameters is None:
        raise InputError(
            f"{folder / 'parameters'} is damaged or was not written to its end: launch its task with --noresume and "
            "--keep_parameters, which trains it again"
        )
    kept = load_kept(identity["task"], identity["data"], folder.parent.parent)
    specs = tuple(fitted.spec for fitted in kept.preprocessing.values())
    model = build_model(specs, kept.target, identity["fusion"], DEFAULTS.replace(**identity["config"]))
    title = f"{identity['task']} {identity['fusion']} {identity['strategy']}, seed {identity['seed']}"
    return TrainedRun(title, kept, model, load_parameters(parameters))


def _batch(ready: Mapping[str, Column], names: list[str], rows: slice) -> Batch:
    present = {name: ready[name].present[rows] for name in names}
    n = len(present[names[0]])
    return Batch(
        inputs={name: ready[name].values[rows] for name in names},
        lengths={name: ready[name].lengths[rows] for name in names if ready[name].lengths is not None},
        present=present,
        target=np.zeros(n, np.int32),
        weight=np.ones(n, np.float32),
    )
