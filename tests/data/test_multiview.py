"""Data sets of views in a MATLAB file: what is read, what is refused, and the sizes of the real ones."""

import os

import numpy as np
import pytest
import scipy.io

from mmjax.data import load_task
from mmjax.data.multiview import read_views
from mmjax.data.recipes import RECIPES
from mmjax.errors import InputError

VIEWS = {"shape": 3, "colour": 5}
CLASSES = 4
FILE = "views.mat"
# Data set -> examples, classes, and the file's field of them.
FACTS = {"pie": (680, 68, "gt"), "leaves100": (1600, 100, "y"), "msrcv1": (210, 7, "y")}


@pytest.fixture
def contents():
    """Eight examples: X as a row of cells, and gt."""
    generator = np.random.default_rng(0)
    cells = np.empty((1, len(VIEWS)), object)
    for place, width in enumerate(VIEWS.values()):
        cells[0, place] = generator.normal(size=(8, width))
    return {"X": cells, "gt": np.arange(8)[:, None] % CLASSES + 1.0}


def read(contents, folder):
    scipy.io.savemat(folder / FILE, contents)
    return read_views(folder / FILE, VIEWS, "gt", CLASSES)


def test_cells_become_views_in_order(contents, tmp_path):
    columns = read(contents, tmp_path)
    np.testing.assert_array_equal(columns["label"], np.arange(8) % CLASSES)
    for cell, view in zip(contents["X"][0], VIEWS, strict=True):
        np.testing.assert_array_equal(columns[view], cell.astype(np.float32))
        assert columns[view].dtype == np.float32


def test_the_ways_in_which_files_lie_are_one(contents, tmp_path):
    """Cells in a column instead of a row, and examples in columns instead of rows."""
    expected = read(contents, tmp_path)
    cells = np.empty((len(VIEWS), 1), object)
    for place, cell in enumerate(contents["X"][0]):
        cells[place, 0] = cell.T
    turned = read(contents | {"X": cells, "gt": contents["gt"].T}, tmp_path)
    for name, values in expected.items():
        np.testing.assert_array_equal(turned[name], values)


@pytest.mark.parametrize(
    ("value", "said"), [(CLASSES + 1, "row 5 is 5; accepted are classes 1 to 4"), (0, "row 5 is 0"), (1.5, "is 1.5")]
)
def test_a_class_out_of_range_is_named(contents, tmp_path, value, said):
    contents["gt"][5] = value
    with pytest.raises(InputError, match=f"{FILE}: gt, .*{said}"):
        read(contents, tmp_path)


def test_classes_must_be_numbers(contents, tmp_path):
    with pytest.raises(InputError, match=f"{FILE}: gt is <U3"):
        read(contents | {"gt": np.array(["cat", "dog"])}, tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named(contents, tmp_path, value):
    contents["X"][0, 1][5, 2] = value
    with pytest.raises(InputError, match=f"{FILE}: cell 1 of X, row 5, column 2 is {value}; values must be finite"):
        read(contents, tmp_path)


@pytest.mark.parametrize("field", ["X", "gt"])
def test_a_missing_field_is_named(contents, tmp_path, field):
    del contents[field]
    with pytest.raises(InputError, match=f"{FILE} has no field {field!r}"):
        read(contents, tmp_path)


def test_views_of_another_shape_are_refused(contents, tmp_path):
    contents["X"][0, 1] = contents["X"][0, 1][:-1]
    with pytest.raises(InputError, match=r"cell 1 of X is float64 \(7, 5\), and must be numbers of shape \(8, 5\)"):
        read(contents, tmp_path)


@pytest.mark.parametrize("value", [np.zeros((8, 3)), np.array([[np.zeros((8, 3)), None, None]], object)[:, :1]])
def test_another_number_of_views_is_refused(contents, tmp_path, value):
    with pytest.raises(InputError, match="X must be 2 cells, a matrix a view"):
        read(contents | {"X": value}, tmp_path)


def test_a_view_must_be_numbers(contents, tmp_path):
    contents["X"][0, 0] = np.array(["a word"])
    with pytest.raises(InputError, match="cell 0 of X is <U6"):
        read(contents, tmp_path)


@pytest.mark.parametrize("kept", [0, 100, 0.5])
def test_a_truncated_file_is_refused(contents, tmp_path, kept):
    scipy.io.savemat(tmp_path / FILE, contents)
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else kept])
    with pytest.raises(InputError, match=FILE):
        read_views(tmp_path / FILE, VIEWS, "gt", CLASSES)


@pytest.mark.parametrize("name", FACTS)
def test_dummy_files_are_read_as_written(dummy, name):
    """The features of a dummy file are the class, but for the first four, which are up to 2 more."""
    dataset, labels = RECIPES[name].dataset, FACTS[name][2]
    layout = dataset.layouts[0]
    path = dummy(name) / layout.sources[0].file
    columns = layout.read({path.name: path})["train"]
    classes = scipy.io.loadmat(path)[labels].ravel().astype(int)
    np.testing.assert_array_equal(columns["label"], classes - 1)
    for view, feature in dataset.features.items():
        if view != "label":
            assert columns[view].shape == (len(classes), *feature.shape)
            np.testing.assert_array_equal(columns[view][:, 4:], np.repeat(classes[:, None], feature.shape[0] - 4, 1))
            np.testing.assert_array_equal(np.clip(columns[view][:, :4], classes[:, None], classes[:, None] + 2),
                                          columns[view][:, :4])  # fmt: skip


@pytest.mark.parametrize("name", FACTS)
def test_views_are_scaled_to_the_unit_interval_by_train(dummy, cache_dir, name):
    """Minima and maxima of train are 0 and 1 to a rounding of float32."""
    task = load_task(name, str(dummy(name)), str(cache_dir))
    for values in task.splits["train"].inputs.values():
        np.testing.assert_allclose(values.min(0), 0, atol=1e-6)
        np.testing.assert_allclose(values.max(0), 1, atol=1e-6)


@pytest.mark.parametrize("name", FACTS)
def test_real_files_have_their_sizes(cache_dir, name):
    if not os.environ.get("MMJAX_DATA_DIR"):
        pytest.skip("MMJAX_DATA_DIR names no folder of real files")
    task = load_task(name, cache_dir=str(cache_dir))
    examples, classes, _ = FACTS[name]
    labels = np.concatenate([batch.target for batch in task.splits.values()])
    np.testing.assert_array_equal(np.bincount(labels), np.full(classes, examples // classes))
