"""student's files: what is read, what follows from the last grade, and what is refused."""

import shutil

import numpy as np
import pandas
import pytest

from mmjax.data.student.raw import COLUMNS, FILES, RANGES, VIEWS, read
from mmjax.errors import InputError


@pytest.fixture
def folder(dummy, tmp_path):
    """A copy of the dummy files."""
    for file in FILES.values():
        shutil.copy(dummy("student") / file, tmp_path / file)
    return tmp_path


def read_folder(folder):
    return read({file: folder / file for file in FILES.values()})["train"]


def tables(folder):
    return [pandas.read_csv(folder / file, sep=";", dtype=str) for file in FILES.values()]


def test_lines_become_rows_mathematics_first(folder):
    columns = read_folder(folder)
    both = pandas.concat(tables(folder))
    for name in COLUMNS:
        wanted = both[name].to_numpy(object)
        np.testing.assert_array_equal(columns[name], wanted.astype(np.float32) if name in RANGES else wanted)
    sizes = [len(table) for table in tables(folder)]
    np.testing.assert_array_equal(columns["course"], np.repeat(np.array(list(FILES), object), sizes))


def test_every_column_is_in_one_view():
    in_views = [column for columns in VIEWS.values() for column in columns]
    assert sorted([*in_views, "G3"]) == sorted(set(COLUMNS)) and len(COLUMNS) == 33


def test_passing_and_level_follow_from_the_last_grade(folder):
    """Cortez and Silva 2008: I is 16 to 20, II 14 and 15, III 12 and 13, IV 10 and 11, V below."""
    table = pandas.read_csv(folder / FILES["mathematics"], sep=";", dtype=str).iloc[:21].copy()
    table["G3"] = [str(grade) for grade in range(21)]
    table.to_csv(folder / FILES["mathematics"], sep=";", index=False)
    columns = read_folder(folder)
    assert columns["passed"][:21].tolist() == 10 * [0] + 11 * [1]
    assert columns["level"][:21].tolist() == 10 * [4] + 2 * [3] + 2 * [2] + 2 * [1] + 5 * [0]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("G3", "21", "line 7, G3 is '21'; accepted are numbers from 0 to 20"),
        ("age", "old", "line 7, age is 'old'; accepted are numbers from 15 to 22"),
        ("absences", "", "line 7, absences is ''"),
        ("school", "", "line 7, school is ''"),
    ],
)
@pytest.mark.parametrize("file", FILES.values())
def test_a_wrong_value_is_named(folder, file, column, value, said):
    table = pandas.read_csv(folder / file, sep=";", dtype=str)
    table.loc[5, column] = value
    table.to_csv(folder / file, sep=";", index=False)
    with pytest.raises(InputError, match=f"{file}: {said}"):
        read_folder(folder)


def test_a_missing_column_is_named(folder):
    file = FILES["portuguese"]
    pandas.read_csv(folder / file, sep=";", dtype=str).drop(columns="G2").to_csv(folder / file, sep=";", index=False)
    with pytest.raises(InputError, match=f"{file} has no column 'G2'"):
        read_folder(folder)


def test_a_file_cut_within_a_line_is_refused(folder):
    path = folder / FILES["mathematics"]
    path.write_text(path.read_text().rstrip()[:-4])
    with pytest.raises(InputError, match=f"{path.name}: line 101, G"):
        read_folder(folder)
