"""New examples go through the preprocessing and parameters of a run, and get what the run said of them in test."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.special
from make_folders import read_rows, write_good, write_rows

import mmjax.data
from experiments.new_examples import read_new_examples
from experiments.trained_run import read_run
from mmjax.data.prepare import column_of
from mmjax.data.prepare import read_rows as read_prepared
from mmjax.data.recipes import RECIPES
from mmjax.errors import InputError

ROOT = Path(__file__).parents[2]
DUMMY = Path(mmjax.data.__file__).parent / "mosi" / "dummy_data"


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    return tmp_path_factory.mktemp("predict")


@pytest.fixture(scope="module")
def command(where):
    """A module of experiments as a process of its own."""

    def run(module, *arguments):
        environment = os.environ | {"MMJAX_CACHE_DIR": str(where / "cache")}
        line = [sys.executable, "-m", f"experiments.{module}", *map(str, arguments)]
        return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment)

    return run


@pytest.fixture(scope="module")
def clinic(where):
    return write_good(where / "good")


@pytest.fixture(scope="module")
def workdir(command, where, clinic):
    """A launch on MOSI's words and on a folder of one's own."""
    done = command(
        "launch", f"--tasks=mosi/words,{clinic}", "--fusions=concat,mean", f"--data_dir={DUMMY}",
        "--seeds=1", "--epochs=2", "--batch_size=9", "--config.width=8", "--keep_parameters",
        f"--workdir={where / 'work'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return where / "work"


def run_of(workdir, start):
    (folder,) = (workdir / "runs").glob(f"{start}-*")
    return folder


@pytest.fixture(scope="module")
def test_rows(where, workdir):
    """MOSI's test split as raw values."""
    recipe = RECIPES["mosi"]
    (prepared,) = (where / "cache" / "tfds").glob("*/mosi")
    rows = read_prepared(recipe.make_builder(str(prepared.parent)))["test"]
    return {name: column_of(rows, modality) for name, modality in recipe.variants["words"].modalities.items()}


def save(path, columns):
    arrays = {}
    for name, column in columns.items():
        values = column.values
        arrays |= {name: values.astype(str) if values.dtype == object else values, f"{name}.present": column.present}
        if column.lengths is not None:
            arrays[f"{name}.lengths"] = column.lengths
    np.savez(path, **arrays)


def test_the_test_split_gets_what_the_run_said_of_it(command, workdir, test_rows, where):
    folder = run_of(workdir, "mosi.words-concat")
    save(where / "new.npz", test_rows)
    done = command("predict", f"--run={folder}", f"--inputs={where / 'new.npz'}", f"--output={where / 'said.csv'}")
    assert done.returncode == 0, done.stderr
    frame = pd.read_csv(where / "said.csv", index_col="row")
    with np.load(folder / "test_predictions.npz") as kept:
        logits = kept["test_logits"][:, 0]
    positive = frame.columns[-1]
    # Programs for other numbers of rows: sums in float32 in another order.
    np.testing.assert_allclose(frame[positive], scipy.special.expit(logits), rtol=1e-4, atol=1e-5)
    assert set(frame["decision"]) <= {name.removeprefix("probability of ") for name in frame.columns[1:]}


def test_an_absent_modality_is_not_read(workdir, test_rows, where):
    run = read_run(run_of(workdir, "mosi.words-concat"))
    save(where / "text.npz", {"text": test_rows["text"]})
    alone = run.predict(read_new_examples(where / "text.npz", run.kept.preprocessing))
    gone = {
        name: c if name == "text" else c._replace(present=np.zeros_like(c.present)) for name, c in test_rows.items()
    }
    pd.testing.assert_frame_equal(alone, run.predict(gone))


def test_a_folder_of_ones_own_without_labels(command, workdir, clinic, where):
    """Six lines whose diagnosis is empty, and whose recordings are shorter than those of train."""
    folder = where / "tomorrow"
    folder.mkdir()
    for name in ("scans", "voices"):
        shutil.copytree(clinic / name, folder / name)
    (folder / "task.yaml").write_text((clinic / "task.yaml").read_text())
    write_rows(folder, [[*row[:-1], ""] for row in read_rows(clinic)[:6]])
    done = command(
        "predict", f"--run={run_of(workdir, 'clinic-concat')}", f"--inputs={folder}", f"--output={where / 'own.csv'}"
    )
    assert done.returncode == 0, done.stderr
    frame = pd.read_csv(where / "own.csv")
    assert len(frame) == 6 and set(frame["decision"]) <= {"ill", "healthy"}


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"txt": np.zeros(2)}, "unknown array 'txt'.*did you mean 'text'"),
        ({"text": np.array(["a", "b"]), "audio": np.zeros((3, 74))}, "give each as many"),
        ({"text": np.array([], str)}, "no example"),
        (
            {"text": np.array(["a", "b"]), "text.present": np.ones(3, bool)},
            "text.present is bool of shape .3,.; accepted",
        ),
        ({}, "give each as many"),
    ],
)
def test_files_that_are_refused(workdir, where, arrays, told):
    run = read_run(run_of(workdir, "mosi.words-concat"))
    np.savez(where / "bad.npz", **arrays)
    with pytest.raises(InputError, match=told):
        read_new_examples(where / "bad.npz", run.kept.preprocessing)


@pytest.mark.parametrize(
    ("values", "told"),
    [(np.zeros((2, 3)), "'audio'.*not what its preprocessing"), (np.full((2, 0), 1.0), "'audio'"), (None, "row 1")],
)
def test_values_that_are_refused(workdir, test_rows, values, told):
    run = read_run(run_of(workdir, "mosi.words-concat"))
    column = test_rows["audio"].take(np.arange(2))
    broken = column.values.copy()
    broken[1] = np.nan
    with pytest.raises(InputError, match=told):
        run.predict({"audio": column._replace(values=broken if values is None else values)})


def test_runs_that_are_refused(command, workdir, where):
    done = command("predict", f"--run={run_of(workdir, 'mosi.words-mean')}", f"--inputs={where / 'new.npz'}")
    assert done.returncode == 2 and "--keep_parameters" in done.stderr and "Traceback" not in done.stderr
    done = command("predict", f"--run={where}", f"--inputs={where / 'new.npz'}")
    assert done.returncode == 2 and "config.json" in done.stderr
    config = json.loads((run_of(workdir, "mosi.words-concat") / "config.json").read_text())
    assert (workdir / "preprocessing" / f"mosi.words-{config['data']}" / "target.json").is_file()


def test_parameters_that_are_not_as_they_were_written_predict_nothing(workdir, tmp_path):
    run = shutil.copytree(run_of(workdir, "mosi.words-concat"), tmp_path / "run")
    largest = max((p for p in (run / "parameters").rglob("*") if p.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    with pytest.raises(InputError, match="parameters is damaged .*launch its task with --noresume"):
        read_run(run)
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    (run / "result.json").unlink()
    with pytest.raises(InputError, match="parameters is damaged or was not written to its end"):
        read_run(run)
