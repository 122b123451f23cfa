"""The results, a folder a run. Tables, plots and reports are made of it and of nothing else."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.audit import RECORD, RESULT, TEST, TEST_FILES, TEST_RECORD
from experiments.grid import Run
from mmjax.disk import writing
from mmjax.training.checkpoint import parameters_checksum, save_parameters

RESULT_FILES = ("metrics.jsonl", "predictions.npz")


class Stored(NamedTuple):
    """What is kept of a run.

    Attributes:
      result: JSON values; `metrics` holds split -> name -> value, `failure` why there are none, or None, and
        `test_failure`, if it is there, why there are none of test.
      history: one dict an evaluation, in order.
      predictions: "<split>_logits" [n, K] and "<split>_target", for validation, and for test where it was predicted.
    """

    result: dict
    history: list[dict]
    predictions: Mapping[str, np.ndarray]

    def failure(self, split: str) -> str | None:
        """Why it has no figures of a split and never will, or None; on validation test has no bearing."""
        return self.result.get("failure") or (self.result.get("test_failure") if split == "test" else None)

    def is_complete(self, split: str) -> bool:
        """Whether it has a split's figures, or never will."""
        return bool(self.failure(split)) or split in self.result["metrics"]


class Store:
    """Runs under `workdir/runs`.

    A run's folder holds `config.json`, `metrics.jsonl`, `predictions.npz` and `result.json`, and `parameters/` where
    they are kept. `result.json` is written when the others are on the disk, in one step, with their checksums: a folder
    without it, or whose files are not those that were written, is not a result. The same content has the same bytes.
    What a run came about by (machine, command, time) is no content, and stands in `record.json`, and where test came
    later in `test_record.json`.

    What a run says of test is in files of its own, `test_predictions.npz` and then, in one step, `test.json`. They are
    there before `result.json` where test was asked for from the start; or they complete the run later, whose other
    files stay as they are. A run is nothing, complete but for test, or complete, whenever its writing was cut off.
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
            result = json.loads((folder / RESULT).read_text())
            checksums = result.pop("checksums")
            checksums.pop("parameters", None)
            if checksums != _checksums(folder, RESULT_FILES):
                return None
            history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
            with np.load(folder / "predictions.npz", allow_pickle=False) as predictions:
                stored = Stored(result, history, dict(predictions))
            return _with_test(folder, stored)
        except (OSError, ValueError, KeyError, AttributeError, TypeError):  # no file, or none of ours
            return None

    def record(self, run: Run) -> dict | None:
        """What a run came about by, as `experiments.run_records` has it; None where that was not kept.

        Under "test" it has the same of test, where that came later.
        """
        folder = self.folder(run)
        record, of_test = (_read_record(folder / name) for name in (RECORD, TEST_RECORD))
        return record | {"test": of_test} if record and of_test and (folder / TEST).exists() else record

    def parameters(self, run: Run) -> Path | None:
        """The folder of a stored run's parameters, or None where they were not kept or are not as they were written."""
        return parameters_as_written(self.folder(run))

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
        _write_arrays(folder / "predictions.npz", {n: x for n, x in stored.predictions.items() if not _of_test(n)})
        checksums = _checksums(folder, RESULT_FILES)
        if record is not None:
            _write(folder / RECORD, json.dumps(_plain(record), indent=2) + "\n")
        if theta is not None:
            save_parameters(folder / "parameters", theta)
            checksums["parameters"] = parameters_checksum(folder / "parameters")
        if _test_of(stored):
            self._complete(folder, stored)
        metrics = {split: values for split, values in stored.result["metrics"].items() if split != "test"}
        result = {name: value for name, value in stored.result.items() if name != "test_failure"}
        result = _plain(result | {"metrics": metrics}) | {"checksums": checksums}
        write_whole(folder / RESULT, json.dumps(result, indent=2) + "\n")

    def complete(self, run: Run, stored: Stored, record: Mapping | None = None):
        """Keep what a run says of test, with a record of how that came about if it is given; other files stay."""
        folder = self.folder(run)
        with writing(folder):
            self._complete(folder, stored, record)

    def _complete(self, folder: Path, stored: Stored, record: Mapping | None = None):
        (folder / TEST).unlink(missing_ok=True)  # of files that are not as they were written
        if record is not None:
            _write(folder / TEST_RECORD, json.dumps(_plain(record), indent=2) + "\n")
        _write_arrays(folder / TEST_FILES[0], {n: x for n, x in stored.predictions.items() if _of_test(n)})
        test = _plain(_test_of(stored)) | {"checksums": _checksums(folder, TEST_FILES)}
        write_whole(folder / TEST, json.dumps(test, indent=2) + "\n")

    def has_parameters(self, run: Run) -> bool:
        """Whether a run that is stored was kept with its parameters."""
        return (self.folder(run) / "parameters").is_dir()

    def remove(self, run: Run):
        """Forget a run; `result.json` goes first, so that half of a folder is never a result."""
        folder = self.folder(run)
        (folder / RESULT).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def parameters_as_written(folder: Path) -> Path | None:
    """The folder of the parameters in a run's, or None where they were not kept or are not as they were written."""
    parameters = folder / "parameters"
    try:
        written = json.loads((folder / RESULT).read_text())["checksums"]["parameters"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return parameters if parameters_checksum(parameters) == written else None


def write_whole(path: Path, text: str):
    """Writes a file in one step: it is there as a whole and on the disk, or not at all."""
    partial = path.with_name(path.name + ".partial")
    _write(partial, text)
    os.replace(partial, path)


def _read_record(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _test_of(stored: Stored) -> dict:
    """What a run says of test: its metrics, or why there are none; nothing where test was not predicted."""
    if failure := stored.result.get("test_failure"):
        return {"failure": failure}
    metrics = stored.result["metrics"]
    return {"metrics": metrics["test"]} if "test" in metrics else {}


def _with_test(folder: Path, stored: Stored) -> Stored:
    """The run with what it says of test, where that is there whole."""
    try:
        test = json.loads((folder / TEST).read_text())
        if test["checksums"] != _checksums(folder, TEST_FILES):
            return stored
        with np.load(folder / TEST_FILES[0], allow_pickle=False) as predictions:
            if "failure" in test:
                of_test = {"test_failure": test["failure"]}
            else:
                of_test = {"metrics": stored.result["metrics"] | {"test": test["metrics"]}}
            return Stored(stored.result | of_test, stored.history, {**stored.predictions, **predictions})
    except (OSError, ValueError, KeyError, AttributeError, TypeError):  # no file, or none of ours
        return stored


def _of_test(name: str) -> bool:
    return name.startswith("test_")


def _checksums(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Of the files that a result is read from."""
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


def _write_arrays(path: Path, arrays: Mapping[str, np.ndarray]):
    with open(path, "wb") as file:
        np.savez(file, **arrays)
        _settle(file)


def _settle(file):
    """Wait until the disk has it."""
    file.flush()
    os.fsync(file.fileno())
