"""The launcher on real training."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import command
from benchmarks.audit import RECORD, TEST_RECORD
from experiments.run_grid import Request, run_grid
from mmjax.training import loop

ROOT = Path(command.__file__).parents[1]
TIMES = ("train_samples_per_second", "inference_samples_per_second")


def rows_without_times(path):
    with open(path, newline="") as file:
        return [{name: value for name, value in row.items() if name not in TIMES} for row in csv.DictReader(file)]


def test_fusions_and_baselines_of_a_small_task(task, tmp_path):
    overrides = {"encoders": {"vector": "linear"}, "width": 4, "batch_size": 4, "epochs": 2}
    request = Request(
        ["trimodal"], ["concat", "weighted_mean"], seeds=2, overrides=overrides, workdir=str(tmp_path / "work")
    )
    records = {record["fusion"]: record for record in run_grid(request, lambda name, data_dir: task)}
    assert {record["status"] for record in records.values()} == {"done"}
    assert set(records) == {"majority", "oracle", "unimodal/sight", "unimodal/sound", "concat", "weighted_mean"}
    # Two linear encoders 3 -> 4 and a head 8 -> 1; alone, one encoder and a head 4 -> 1.
    assert records["concat"]["parameters"] == 2 * (3 * 4 + 4) + 8 + 1
    assert records["unimodal/sight"]["parameters"] == 3 * 4 + 4 + 4 + 1
    for record in records.values():
        assert len(record["metrics"]["accuracy"]) == 2 and np.all(np.isfinite(record["metrics"]["accuracy"]))
    singles = [records[name]["metrics"]["accuracy"] for name in ("unimodal/sight", "unimodal/sound")]
    assert np.all(np.array(records["oracle"]["metrics"]["accuracy"]) >= np.max(singles, axis=0))


def test_validation_and_then_test_are_test_at_once_and_train_once(task, tmp_path, monkeypatch):
    """Bit for bit, of whatever kind a cell is; in between nothing is known of test."""
    overrides = {"encoders": {"vector": "linear"}, "width": 4, "batch_size": 4, "epochs": 2}
    fusions = ["concat", "stacking", "mean", "evidential", "late_logistic", "random_forest"]
    trained = []
    programs = loop.PhasePrograms.train
    monkeypatch.setattr(
        loop.PhasePrograms, "train", lambda self, *a, **k: trained.append(self) or programs(self, *a, **k)
    )

    def launch(workdir, evaluate):
        work = str(tmp_path / workdir)
        request = Request(["trimodal"], fusions, seeds=2, overrides=overrides, workdir=work, evaluate=evaluate)
        records = run_grid(request, lambda name, data_dir: task)
        assert {record["status"] for record in records} == {"done"}
        paths = [path for path in (tmp_path / workdir).glob("runs/*/*.*") if path.name not in (RECORD, TEST_RECORD)]
        return {(path.parent.name, path.name): path.read_bytes() for path in paths}

    before = launch("later", "validation")
    assert trained and {name for _, name in before} == {
        "config.json", "metrics.jsonl", "predictions.npz", "result.json"
    }  # fmt: skip
    trained.clear()
    later = launch("later", "test")
    assert not trained and before.items() <= later.items()
    direct = launch("direct", "test")
    assert trained and direct.keys() == later.keys()
    assert [place for place in direct if direct[place] != later[place] and place[1] != "result.json"] == []


@pytest.mark.slow
def test_a_launch_that_was_killed_goes_on_to_the_same_table(tmp_path):
    arguments = [
        sys.executable, "-m", "experiments.launch", "--fusions=concat,mean", "--seeds=2", "--epochs=2",
        "--config.width=4", "--config.encoders.image=linear", "--config.encoders.tokens=gru", "--config.token_size=4",
    ]  # fmt: skip
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "MMJAX_CACHE_DIR": str(tmp_path / "cache")}

    def start(workdir):
        return subprocess.Popen(
            [*arguments, f"--workdir={workdir}"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def finish(workdir):
        launch = start(workdir)
        _, errors = launch.communicate(timeout=300)
        assert launch.returncode == 0, errors.decode()

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(whole)
    launch = start(cut)
    while launch.poll() is None and len(list(cut.glob("runs/*unimodal*/result.json"))) < 2:
        time.sleep(0.05)
    launch.send_signal(signal.SIGKILL)
    launch.communicate()
    finished = {path: path.stat().st_mtime_ns for path in cut.glob("runs/*/result.json")}
    assert not (cut / "table.csv").exists() and 0 < len(finished) < len(list(whole.glob("runs/*")))
    finish(cut)
    assert {path: path.stat().st_mtime_ns for path in finished} == finished, "finished runs are not repeated"
    assert rows_without_times(cut / "table.csv") == rows_without_times(whole / "table.csv")
    assert {path.name for path in cut.glob("runs/*")} == {path.name for path in whole.glob("runs/*")}
