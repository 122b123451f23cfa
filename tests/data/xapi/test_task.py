"""xapi: what is read of the file, and what is refused."""

import os

import numpy as np
import pandas
import pytest

from mmjax.data import load_task
from mmjax.data.xapi.task import CLASSES, COLUMNS, FILE, PUPILS, RANGES, read
from mmjax.errors import InputError


@pytest.fixture
def table(dummy):
    """The dummy file."""
    return pandas.read_csv(dummy("xapi") / FILE, dtype=str)


def written(table, folder):
    table.to_csv(folder / FILE, index=False)
    return read({FILE: folder / FILE})["train"]


def test_lines_become_rows(table, tmp_path):
    columns = written(table, tmp_path)
    for name in COLUMNS:
        wanted = table[name].to_numpy(object)
        np.testing.assert_array_equal(columns[name], wanted.astype(np.float32) if name in RANGES else wanted)
    np.testing.assert_array_equal(columns["label"], [list(CLASSES).index(label) for label in table["Class"]])


def test_what_follows_the_pupils_is_not_read(table, tmp_path):
    long = pandas.concat([table] * 10)
    long.iloc[PUPILS:, long.columns.get_loc("Class")] = "?"
    assert len(written(long, tmp_path)["label"]) == PUPILS < len(long)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("Class", "X", "line 7, Class is 'X'; accepted are L, M, H"),
        ("Discussion", "101", "line 7, Discussion is '101'; accepted are numbers from 0 to 100"),
        ("gender", "", "line 7, gender is ''"),
    ],
)
def test_a_wrong_value_is_named(table, tmp_path, column, value, said):
    table.loc[5, column] = value
    with pytest.raises(InputError, match=f"{FILE}: {said}"):
        written(table, tmp_path)


@pytest.mark.parametrize("column", ["Topic", "Class"])
def test_a_missing_column_is_named(table, tmp_path, column):
    with pytest.raises(InputError, match=f"{FILE} has no column {column!r}"):
        written(table.drop(columns=column), tmp_path)


def test_a_file_cut_within_a_line_is_refused(dummy, tmp_path):
    (tmp_path / FILE).write_text((dummy("xapi") / FILE).read_text().rstrip()[:-6])
    with pytest.raises(InputError, match=f"{FILE}: line 61"):
        read({FILE: tmp_path / FILE})


def test_real_file_has_its_sizes(cache_dir):
    if not os.environ.get("MMJAX_DATA_DIR"):
        pytest.skip("MMJAX_DATA_DIR names no folder of real files")
    task = load_task("xapi", cache_dir=str(cache_dir))
    labels = np.concatenate([batch.target for batch in task.splits.values()])
    np.testing.assert_array_equal(np.bincount(labels), [127, 211, 142])
