"""The results, a folder a run. Tables, plots and reports are made of it and of nothing else."""

from __future__ import annotations

import json
import math
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.grid import Run


class Stored(NamedTuple):
    """What is kept of a run.

    Attributes:
      result: JSON values; `metrics` holds split -> name -> value, `failure` why there are none, or None.
      history: one dict an evaluation, in order.
      predictions: "<split>_logits" [n, K] and "<split>_target", for validation and test.
    """

    result: dict
    history: list[dict]
    predictions: Mapping[str, np.ndarray]


class Store:
    """Runs under `workdir/runs`.

    A run's folder holds `config.json`, `metrics.jsonl`, `predictions.npz` and `result.json`. The last is
    written when the others are on the disk, in one step: a folder without it is not a result.
    """

    def __init__(self, workdir: str | Path):
        self.root = Path(workdir) / "runs"

    def folder(self, run: Run) -> Path:
        """Where a run is kept."""
        return self.root / run.name

    def read(self, run: Run) -> Stored | None:
        """The run, or None where it is not stored whole."""
        folder = self.folder(run)
        try:
            result = json.loads((folder / "result.json").read_text())
            history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
            with np.load(folder / "predictions.npz", allow_pickle=False) as predictions:
                return Stored(result, history, dict(predictions))
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def write(self, run: Run, stored: Stored):
        """Keep a run, in place of whatever is in its folder."""
        self.remove(run)
        folder = self.folder(run)
        folder.mkdir(parents=True)
        _write(folder / "config.json", json.dumps(run.identity, indent=2, sort_keys=True) + "\n")
        _write(folder / "metrics.jsonl", "".join(json.dumps(_plain(line)) + "\n" for line in stored.history))
        with open(folder / "predictions.npz", "wb") as file:
            np.savez(file, **stored.predictions)
            _settle(file)
        partial = folder / "result.json.partial"
        _write(partial, json.dumps(_plain(stored.result), indent=2) + "\n")
        os.replace(partial, folder / "result.json")

    def remove(self, run: Run):
        """Forget a run; `result.json` goes first, so that half of a folder is never a result."""
        folder = self.folder(run)
        (folder / "result.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _plain(value):
    """The value as JSON has it, which knows no NaN: null stands for a figure that does not exist."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(path: Path, text: str):
    with open(path, "w") as file:
        file.write(text)
        _settle(file)


def _settle(file):
    """Wait until the disk has it."""
    file.flush()
    os.fsync(file.fileno())
