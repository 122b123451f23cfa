"""Every fault that can befall a workdir is found, and nothing else is called one."""

import json
import os
import shutil

import numpy as np
import pytest

from benchmarks.audit import complete_runs, corrupt, lost, repeated
from mmjax.training.checkpoint import save_parameters

RUNS = ("a-seed0", "a-seed1")


def write_run(folder, seconds=1.0):
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text('{"epoch": 1}\n')
    (folder / "predictions.npz").write_bytes(b"\x00\x01")
    result = {"metrics": {"test": {"accuracy": 0.5}}, "train_samples_per_second": seconds}
    (folder / "result.json").write_text(json.dumps(result))


@pytest.fixture
def undisturbed(tmp_path):
    for name in RUNS:
        write_run(tmp_path / "undisturbed" / "runs" / name)
    return tmp_path / "undisturbed"


@pytest.fixture
def workdir(tmp_path):
    for name in RUNS:
        write_run(tmp_path / "workdir" / "runs" / name, seconds=2.0)
    return tmp_path / "workdir"


def test_a_workdir_like_the_undisturbed_one_has_no_fault(workdir, undisturbed):
    assert corrupt(workdir, undisturbed) == []


def test_a_run_without_its_result_is_not_complete(workdir):
    before = complete_runs(workdir)
    assert sorted(before) == list(RUNS)
    (workdir / "runs" / RUNS[0] / "result.json").unlink()
    assert lost(before, complete_runs(workdir)) == [RUNS[0]]
    assert lost({}, before) == repeated({}, before) == repeated(before, before) == []


def test_a_run_that_was_written_again_is_repeated_even_to_the_same_bytes(workdir):
    before = complete_runs(workdir)
    path = workdir / "runs" / RUNS[1] / "metrics.jsonl"
    os.utime(path, ns=(0, 0))
    assert repeated(before, complete_runs(workdir)) == [RUNS[1]]


@pytest.mark.parametrize(
    "path, content, fault",
    [
        (f"runs/{RUNS[0]}/metrics.jsonl", "{}\n", f"{RUNS[0]}/metrics.jsonl is another"),
        (f"runs/{RUNS[0]}/predictions.npz", "", f"{RUNS[0]}/predictions.npz is another"),
        (f"runs/{RUNS[0]}/result.json", '{"metrics": {}}', f"{RUNS[0]}/result.json is another"),
        (f"runs/{RUNS[0]}/more", "", f"{RUNS[0]} has the files metrics.jsonl, more, predictions.npz, result.json"),
        ("runs/b-seed0/config.json", "{}", "b-seed0 should not be there"),
        ("checkpoints/a/seeds.json", "[0]", "checkpoints is left"),
        ("locks/a.json", "{}", "locks is left"),
        ("table.csv.partial", "", "table.csv.partial is left"),
    ],
)
def test_a_fault_is_found(workdir, undisturbed, path, content, fault):
    (workdir / path).parent.mkdir(parents=True, exist_ok=True)
    (workdir / path).write_text(content)
    assert corrupt(workdir, undisturbed) == [fault]


def test_a_run_that_is_missing_is_found(workdir, undisturbed):
    shutil.rmtree(workdir / "runs" / RUNS[1])
    assert corrupt(workdir, undisturbed) == [f"{RUNS[1]} is not there"]


def test_what_completes_a_run_is_no_repetition_and_half_of_it_is_nothing(workdir):
    run, before = workdir / "runs" / RUNS[0], complete_runs(workdir)
    (run / "test_predictions.npz").write_bytes(b"half")
    (run / "test.json.partial").write_text("{")
    assert complete_runs(workdir) == before
    (run / "test_predictions.npz").write_bytes(b"whole")
    os.replace(run / "test.json.partial", run / "test.json")
    after = complete_runs(workdir)
    assert set(after[RUNS[0]]) - set(before[RUNS[0]]) == {"test.json", "test_predictions.npz"}
    assert lost(before, after) == repeated(before, after) == []
    assert lost(after, before) == [RUNS[0]], "a run that was complete lacks test"
    (run / "test.json").write_text("{ }")
    assert repeated(after, complete_runs(workdir)) == [RUNS[0]]


def test_parameters_are_compared_by_their_numbers(workdir, undisturbed):
    """Files of one tree have other names and times in another folder."""
    for root in (workdir, undisturbed):
        for name in RUNS:
            save_parameters(root / "runs" / name / "parameters", {"params": {"kernel": np.arange(3.0)}})
    assert corrupt(workdir, undisturbed) == []
    save_parameters(workdir / "runs" / RUNS[1] / "parameters", {"params": {"kernel": np.arange(3.0) + 1}})
    assert corrupt(workdir, undisturbed) == [f"{RUNS[1]}/parameters is another"]
