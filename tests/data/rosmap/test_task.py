"""rosmap: what is read of the eight files, what is refused, and the authors' split."""

import os
import shutil

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.rosmap.task import FEATURES, FILES, OMICS, SHORT, read
from mmjax.errors import InputError


@pytest.fixture
def folder(dummy, tmp_path):
    """A copy of the dummy files."""
    for file in FILES:
        shutil.copy(dummy("rosmap") / file, tmp_path / file)
    return tmp_path


def read_folder(folder):
    return read({file: folder / file for file in FILES})


def test_files_become_omics(folder):
    splits = read_folder(folder)
    assert list(splits) == ["train", "test"]
    for split, end in SHORT.items():
        labels = np.loadtxt(folder / f"labels_{end}.csv")
        np.testing.assert_array_equal(splits[split]["label"], labels)
        for name, number in OMICS.items():
            values = np.loadtxt(folder / f"{number}_{end}.csv", delimiter=",")
            np.testing.assert_array_equal(splits[split][name], values.astype(np.float32))


def changed(path, row, column, value):
    lines = [line.split(",") for line in path.read_text().splitlines()]
    lines[row][column] = value
    path.write_text("\n".join(",".join(line) for line in lines))


@pytest.mark.parametrize(
    ("file", "value", "said"),
    [
        ("labels_tr.csv", "2", "labels_tr.csv: line 6 is 2; accepted are 0 and 1"),
        ("labels_te.csv", "0.5", "labels_te.csv: line 6 is 0.5"),
        ("1_tr.csv", "nan", "1_tr.csv: line 6, column 1 is nan; values must be finite"),
        ("3_te.csv", "inf", "3_te.csv: line 6, column 1 is inf"),
        ("2_tr.csv", "gene", "2_tr.csv is truncated or not the right file"),
        ("2_te.csv", "", "2_te.csv is truncated or not the right file"),
    ],
)
def test_a_wrong_value_is_named(folder, file, value, said):
    changed(folder / file, 5, 0, value)
    with pytest.raises(InputError, match=said):
        read_folder(folder)


def test_rows_must_agree_with_the_labels(folder):
    lines = (folder / "3_te.csv").read_text().splitlines()
    (folder / "3_te.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(
        InputError, match=rf"3_te.csv: holds \(19, {FEATURES}\) numbers, and must hold \(20, {FEATURES}"
    ):
        read_folder(folder)


def test_files_of_other_features_are_refused(folder):
    np.savetxt(folder / "1_tr.csv", np.zeros((60, 7)), delimiter=",")
    with pytest.raises(InputError, match=r"1_tr.csv: holds \(60, 7\) numbers"):
        read_folder(folder)


def test_a_file_cut_within_a_line_is_refused(folder):
    content = (folder / "2_tr.csv").read_bytes()
    (folder / "2_tr.csv").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="2_tr.csv"):
        read_folder(folder)


def test_the_official_test_split_is_the_test_files(dummy, cache_dir):
    """Features are standardised by train: test is the files' rows after the same shift and scale."""
    task = load_task("rosmap", str(dummy("rosmap")), str(cache_dir))
    raw = read_folder(dummy("rosmap"))
    np.testing.assert_array_equal(task.splits["test"].target, raw["test"]["label"])
    assert [task.splits[split].size for split in ("train", "validation")] == [48, 12]
    for name in OMICS:
        state = task.preprocessing[name].states[0]
        expected = (raw["test"][name].astype(np.float64) - state["shift"]) / state["scale"]
        np.testing.assert_array_equal(task.splits["test"].inputs[name], expected.astype(np.float32))


def test_real_files_have_their_sizes(cache_dir):
    if not os.environ.get("MMJAX_DATA_DIR"):
        pytest.skip("MMJAX_DATA_DIR names no folder of real files")
    task = load_task("rosmap", cache_dir=str(cache_dir))
    assert [batch.size for batch in task.splits.values()] == [196, 49, 106]
    assert sum(int(batch.target.sum()) for batch in task.splits.values()) == 182
