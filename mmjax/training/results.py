"""What training a cell gives back, and what it says on the way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


class Interrupted(Exception):
    """Training was asked to stop, and has kept its place."""


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where a cell is.

    Attributes:
      epoch, epochs: done and at most, over all phases.
      phase: the current phase's name.
      metrics: of the last evaluation, the mean over seeds.
    """

    epoch: int
    epochs: int
    phase: str
    metrics: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class RunResult:
    """One seed's run.

    Attributes:
      seed: its seed.
      history: one dict an evaluation: phase, epoch (over all phases), train_objective, train_* and validation_* loss
        and accuracy (regression: error, in the target's own unit, in which losses are not), and by modality the mean
        norm of its encoder's gradient (gradient_norm/*) and the discrepancy ratio (discrepancy/*; see
        `mmjax.training.monitor`).
      best_epoch: the chosen one of the last phase, 0 if none was better than the start.
      logits: split -> [n, K] of the splits that were asked for, a regression's in its own unit; empty after a failure.
        Those of test need not be finite: no run is judged by them.
      failure: why the run was given up, or None.
      theta: of the best epoch, "params" and "batch_stats" as NumPy.
      epochs_trained: how many it was trained in all phases, without those after it stopped or failed.
    """

    seed: int
    history: list[dict]
    best_epoch: int
    logits: Mapping[str, np.ndarray]
    failure: str | None = None
    theta: Mapping[str, Any] | None = None
    epochs_trained: int = 0


@dataclasses.dataclass(frozen=True)
class CellResult:
    """A cell's runs, in the order of the seeds asked for, and its cost.

    Attributes:
      parameters: of one seed's model.
      train_samples_per_second: examples of all seeds per second of training, median over intervals; NaN if none ended.
      inference_samples_per_second: the same for prediction, on validation.
      compile_seconds: spent on compilation, which the others leave out.
      train_seconds: spent on steps, of epochs that were trained since the last checkpoint was taken up, if any was.
    """

    runs: tuple[RunResult, ...]
    parameters: int
    train_samples_per_second: float
    inference_samples_per_second: float
    compile_seconds: float
    train_seconds: float = float("nan")
