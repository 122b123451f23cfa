"""Tables and reports come back from the workdir alone."""

import contextlib
import dataclasses
import json
import os
import shutil
import socket

import numpy as np
import pytest

from experiments import grid, launches, results
from experiments.launches import read_launch
from experiments.locks import Locks
from experiments.results import records_of, write_outputs
from experiments.run_grid import Request, run_grid
from mmjax.errors import InputError

OUTPUTS = ("table.csv", "table.md", "table.tex", "report.html")


@pytest.fixture
def launch(task, training, combine, tmp_path):
    """Launches the tiny task, and gives what it wrote: name -> bytes."""
    request = Request(["trimodal"], ["concat", "mean"], seeds=2, workdir=str(tmp_path))
    request = dataclasses.replace(request, overrides={"batch_size": 4, "epochs": 1})

    def run(task=task, train=training, **changes):
        remove_outputs(tmp_path)
        run_grid(dataclasses.replace(request, **changes), lambda name, data_dir: task, train, combine)
        return written(tmp_path)

    return run


def written(workdir):
    files = [workdir / name for name in OUTPUTS] + sorted((workdir / "curves").iterdir())
    return {path.name: path.read_bytes() for path in files}


def remove_outputs(workdir):
    shutil.rmtree(workdir / "curves", ignore_errors=True)
    for name in OUTPUTS:
        (workdir / name).unlink(missing_ok=True)


def reported(workdir, name=None):
    """What a report makes, of nothing but runs and launches."""
    remove_outputs(workdir)
    write_outputs(read_launch(workdir, name), workdir)
    return written(workdir)


def test_a_report_has_the_bytes_of_the_launch(launch, tmp_path):
    assert launch() == reported(tmp_path)


def test_so_it_has_of_regressions_of_widths_that_were_matched_and_of_cells_that_are_not_defined(
    launch, regression_task, tmp_path
):
    of_task = dataclasses.replace(regression_task, label="values (a/values)", bayes={}, class_names=())
    before = launch(of_task, fusions=["concat", "mean", "evidential"], match="parameters")
    assert b"not applicable" in before["table.md"] and b"Widths are such" in before["table.md"]
    assert b"## values (a/values)" in before["table.md"]
    assert reported(tmp_path) == before


def test_so_it_has_of_hyper_parameters_that_were_searched(launch, task, training, tmp_path):
    def train(*arguments, learning_rates=None, splits=None, **options):
        if learning_rates is None:
            return training(*arguments, **options)
        raise grid_failure

    from jax.errors import JaxRuntimeError

    grid_failure = JaxRuntimeError("no memory")
    before = launch(fusions=["concat"], tune=2, train=train)
    assert b"Tuned: 2 trials" in before["table.md"] and reported(tmp_path) == before


def test_groups_are_kept_as_the_interval_of_the_footer_needs_them(launch, task, tmp_path):
    groups = {split: np.array([5, 5, 9, 9, 2, 2, 7, 7, 7, 1, 1, 1]) for split in task.splits}
    before = launch(dataclasses.replace(task, groups=groups))
    assert b"12 examples of 5 groups" in before["table.md"] and reported(tmp_path) == before


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_a_task_comes_back_with_all_that_figures_are_made_of(launch, task, regression_task, kind, tmp_path):
    """Inputs apart, which no figure needs: a seed that diverged, say, counts as what is usual in train."""
    task = {"binary": task, "regression": dataclasses.replace(regression_task, bayes={})}[kind]
    launch(task, fusions=["concat"])
    again = read_launch(tmp_path)[0].task
    assert (again.title, again.target, again.modalities) == (task.title, task.target, task.modalities)
    for split, batch in task.splits.items():
        assert again.splits[split].size == batch.size and again.splits[split].target.dtype == batch.target.dtype
        np.testing.assert_array_equal(again.splits[split].target, batch.target)
        np.testing.assert_array_equal(again.groups[split], task.groups[split])


def test_the_last_launch_is_reported_unless_another_is_named(launch, tmp_path):
    first = launch()
    (name,) = [path.stem for path in (tmp_path / "launches").iterdir()]
    second = launch(fusions=["mmtm"])
    assert first["table.md"] != second["table.md"]
    assert reported(tmp_path) == second and reported(tmp_path, name) == first
    launch()
    assert len(list((tmp_path / "launches").iterdir())) == 2, "an equal launch takes the place of the one before"
    assert reported(tmp_path) == first


def test_of_a_launch_that_was_killed_it_shows_what_is_there(launch, training, tmp_path):
    training.raises["concat"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        launch()
    status = {record["fusion"]: record["status"] for record in records_of(read_launch(tmp_path))}
    assert status["unimodal/sight"] == "done" and status["concat"] == "0 of 2 runs done"


def test_why_a_cell_has_no_result_is_kept(launch, training, tmp_path):
    from jax.errors import JaxRuntimeError

    training.raises["concat"] = JaxRuntimeError("no memory")
    launch()
    status = {record["fusion"]: record["status"] for record in records_of(read_launch(tmp_path))}
    assert status["concat"] == "failed: no memory"


def test_runs_of_older_code_are_found_and_told_as_such(launch, tmp_path, monkeypatch):
    before = launch()
    for module in (grid, results):
        monkeypatch.setattr(module, "code_version", lambda: "newer")
    assert reported(tmp_path) == before and b"newer" not in before["table.md"]


def test_a_workdir_without_launches_a_name_that_none_has_and_a_broken_file_are_one_sentence(launch, tmp_path):
    with pytest.raises(InputError, match="has no launch to report"):
        read_launch(tmp_path / "nowhere")
    launch()
    (path,) = (tmp_path / "launches").iterdir()
    with pytest.raises(InputError, match=f"unknown launch 'x'.*{path.stem}"):
        read_launch(tmp_path, "x")
    content = json.loads(path.read_text())
    del content["rows"][0]["cell"]["fusion"]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="written by another version of mmjax.*repeat its command"):
        read_launch(tmp_path)
    for text in ("{", "[]", '{"time": "late"}', "null"):
        path.write_text(text)
        with pytest.raises(InputError, match="is no launch's file"):
            read_launch(tmp_path)


def test_a_broken_file_hinders_no_launch_that_is_named(launch, tmp_path):
    before = launch()
    (path,) = (tmp_path / "launches").iterdir()
    (tmp_path / "launches" / "broken.json").write_text("{")
    assert reported(tmp_path, path.stem) == before
    with pytest.raises(InputError, match="broken.json is no launch's file"):
        read_launch(tmp_path)


def test_a_lock_that_is_held_is_waited_for_told_of_once_and_not_for_ever(tmp_path, caplog):
    locks, waits = Locks(tmp_path / "locks"), []
    with locks.take(launches.FOLDER):
        with pytest.raises(InputError, match=rf"has been held by process {os.getpid()} on .* repeat the command"):
            with launches._taken(locks, waits.append):
                pytest.fail("another holds it")
    assert sum(waits) == pytest.approx(launches.GIVEN_UP_SECONDS)
    assert [record.getMessage().partition(": ")[2] for record in caplog.records if "waits for" in record.message] == [
        f"held by process {os.getpid()} on {socket.gethostname()}"
    ]
    other = contextlib.ExitStack()
    other.enter_context(locks.take(launches.FOLDER))
    with launches._taken(locks, lambda seconds: other.close()):
        assert (tmp_path / "locks" / "launches.json").exists()
    assert not (tmp_path / "locks").exists()
