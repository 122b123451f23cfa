"""The results, a folder a run. Tables, plots and reports are made of it and of nothing else."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from experiments.grid import Run
from mmjax.disk import writing
from mmjax.training.checkpoint import save_parameters

RECORD = "record.json"


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

    A run's folder holds `config.json`, `metrics.jsonl`, `predictions.npz` and `result.json`, and `parameters/` where
    they are kept. `result.json` is written when the others are on the disk, in one step, with their checksums: a folder
    without it, or whose files are not those that were written, is not a result. The same content has the same bytes.
    What a run came about by (machine, command, time) is no content, and stands in `record.json`.
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
            if result.pop("checksums") != _checksums(folder):
                return None
            history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
            with np.load(folder / "predictions.npz", allow_pickle=False) as predictions:
                return Stored(result, history, dict(predictions))
        except (OSError, ValueError, KeyError, AttributeError, TypeError):  # no file, or none of ours
            return None

    def record(self, run: Run) -> dict | None:
        """What a run came about by, as `experiments.run_records` has it; None where that was not kept."""
        try:
            return json.loads((self.folder(run) / RECORD).read_text())
        except (OSError, ValueError):
            return None

    def write(self, run: Run, stored: Stored, theta: Mapping | None = None, record: Mapping | None = None):
        """Keep a run, in place of whatever is in its folder; with parameters and a record, where they are given."""
        folder = self.folder(run)
        with writing(folder):
            self._write(run, folder, stored, theta, record)

    def _write(self, run: Run, folder: Path, stored: Stored, theta: Mapping | None, record: Mapping | None):
        self.remove(run)
        folder.mkdir(parents=True)
        _write(folder / "config.json", json.dumps(run.identity, indent=2, sort_keys=True) + "\n")
        _write(folder / "metrics.jsonl", "".join(json.dumps(_plain(line)) + "\n" for line in stored.history))
        with open(folder / "predictions.npz", "wb") as file:
            np.savez(file, **stored.predictions)
            _settle(file)
        if record is not None:
            _write(folder / RECORD, json.dumps(_plain(record), indent=2) + "\n")
        if theta is not None:
            save_parameters(folder / "parameters", theta)
        result = _plain(stored.result) | {"checksums": _checksums(folder)}
        write_whole(folder / "result.json", json.dumps(result, indent=2) + "\n")

    def has_parameters(self, run: Run) -> bool:
        """Whether a run that is stored was kept with its parameters."""
        return (self.folder(run) / "parameters").is_dir()

    def remove(self, run: Run):
        """Forget a run; `result.json` goes first, so that half of a folder is never a result."""
        folder = self.folder(run)
        (folder / "result.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def write_whole(path: Path, text: str):
    """Writes a file in one step: it is there as a whole and on the disk, or not at all."""
    partial = path.with_name(path.name + ".partial")
    _write(partial, text)
    os.replace(partial, path)


def _checksums(folder: Path) -> dict[str, str]:
    """Of the files that a result is read from."""
    names = ("metrics.jsonl", "predictions.npz")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def _plain(value):
    """The value as JSON has it, which knows no NaN: null stands for a figure that does not exist."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(path: Path, text: str):
    with writing(path), open(path, "w") as file:
        file.write(text)
        _settle(file)


def _settle(file):
    """Wait until the disk has it."""
    file.flush()
    os.fsync(file.fileno())
