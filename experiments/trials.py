"""The trials of a search for hyper-parameters, on disk: a file a cell, and what was chosen by it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.store import write_whole

DONE = "done"


class Trial(NamedTuple):
    """One training with other hyper-parameters.

    Attributes:
      values: field of Config -> what it was set to.
      score: the metric that epochs are chosen by, of the best epoch on validation, mean over the seeds; None after a
        failure.
      loss: on validation, of the same epochs.
      best_epochs: one a seed.
      status: DONE, or why there is no score.
    """

    values: Mapping[str, float]
    score: float | None
    loss: float | None
    best_epochs: Sequence[int]
    status: str = DONE


def best_of(trials: Sequence[Trial], lower_is_better: bool) -> Trial:
    """The trial with the best score; among equals that of the least loss, then the first.

    The first of all, which is of the hyper-parameters that were asked for, where every trial failed.
    """
    sign = 1 if lower_is_better else -1
    done = [trial for trial in trials if trial.status == DONE]
    return min(done, key=lambda trial: (sign * trial.score, trial.loss), default=trials[0])


class TrialFile:
    """The trials of one search, in the order in which they were made.

    Args:
      path: where they lie, named by a hash of the identity; a damaged file is as none.
      identity: everything that determines the search, as JSON has it.
    """

    def __init__(self, path: Path, identity: Mapping):
        self.path, self.identity = path, identity

    def read(self) -> list[Trial]:
        """Those that are there."""
        try:
            return [Trial(**trial) for trial in json.loads(self.path.read_text())["trials"]]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def write(self, trials: Sequence[Trial], chosen: Mapping[str, float] | None):
        """Keep them, in one step, with the values that the search ended in, if it has."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {"identity": self.identity, "trials": [trial._asdict() for trial in trials], "chosen": chosen}
        write_whole(self.path, json.dumps(content, indent=2) + "\n")

    def remove(self):
        """Forget them."""
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others' may lie beside it
            self.path.parent.rmdir()
