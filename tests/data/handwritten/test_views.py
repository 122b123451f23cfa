"""The raw file of handwritten: what is read, and what is refused."""

import numpy as np
import pytest
import scipy.io

from mmjax.data.handwritten import views
from mmjax.errors import InputError


@pytest.fixture
def contents(dummy):
    """The dummy file's own arrays, as float64 so that anything can be written into them."""
    arrays = scipy.io.loadmat(dummy("handwritten") / views.FILE)
    return {name: array.astype(float) for name, array in arrays.items() if name[0] != "_"}


def read(contents, folder):
    scipy.io.savemat(folder / views.FILE, contents)
    return views.read_views(folder / views.FILE)


def test_fields_become_views_in_order(contents, tmp_path):
    splits = read(contents, tmp_path)
    for split in ("train", "test"):
        assert list(splits[split]) == [*views.VIEWS, "label"]
        for index, (view, width) in enumerate(views.VIEWS.items(), start=1):
            assert splits[split][view].shape[1] == width and splits[split][view].dtype == np.float32
            np.testing.assert_array_equal(splits[split][view], contents[f"x{index}_{split}"])
        np.testing.assert_array_equal(splits[split]["label"] + 1, contents[f"gt_{split}"][:, 0])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("x2_train", np.nan, "x2_train, row 5, column 0 is nan"),
        ("x6_test", np.inf, "x6_test, row 5, column 0 is inf"),
        ("gt_train", 11, "gt_train, row 5 is 11; accepted are classes 1 to 10"),
        ("gt_test", 0, "gt_test, row 5 is 0"),
        ("gt_test", 2.5, "gt_test, row 5 is 2.5"),
    ],
)
def test_a_wrong_value_is_named(contents, tmp_path, field, value, said):
    contents[field][5, 0] = value
    with pytest.raises(InputError, match=said) as error:
        read(contents, tmp_path)
    assert views.FILE in str(error.value)


def test_a_missing_field_is_named(contents, tmp_path):
    del contents["x3_test"]
    with pytest.raises(InputError, match="no field 'x3_test'"):
        read(contents, tmp_path)


def test_views_of_another_file_are_refused(contents, tmp_path):
    contents["x1_train"] = contents["x1_train"][:, :20]
    with pytest.raises(InputError, match=r"x1_train is float64 \(100, 20\), and must be numbers of shape \(n, 240\)"):
        read(contents, tmp_path)


def test_rows_must_agree(contents, tmp_path):
    contents["x4_test"] = contents["x4_test"][:-1]
    with pytest.raises(InputError, match="x4_test has 19 rows and gt_test 20"):
        read(contents, tmp_path)


@pytest.mark.parametrize("content", [b"", b"not a mat file at all", bytes(range(256)) * 4])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / views.FILE).write_bytes(content)
    with pytest.raises(InputError, match=views.FILE):
        views.read_views(tmp_path / views.FILE)
