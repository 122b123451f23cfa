"""handwritten's splits and scaling: nothing fitted sees more than train."""

import os

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.handwritten import views


def rows_in(inner, outer) -> int:
    """How many rows of `inner` occur in `outer`, by all views together."""
    joined = [np.concatenate([batch.inputs[view] for view in views.VIEWS], axis=1) for batch in (inner, outer)]
    known = {row.tobytes() for row in joined[1]}
    return sum(row.tobytes() in known for row in joined[0])


@pytest.fixture(scope="module")
def task(dummy, cache_dir):
    return load_task("handwritten", str(dummy("handwritten")), str(cache_dir))


@pytest.fixture(scope="module")
def tmc(dummy, cache_dir):
    return load_task("handwritten/tmc", str(dummy("handwritten")), str(cache_dir))


def test_validation_is_a_fifth_of_train_by_class_and_disjoint(task):
    train, validation = task.splits["train"], task.splits["validation"]
    assert (train.size, validation.size) == (80, 20)
    np.testing.assert_array_equal(np.bincount(validation.target), np.full(10, 2))
    assert rows_in(validation, train) == 0


def test_features_are_standard_on_train(task):
    """Means and deviations of float32 values of order one: exact to a few 1e-7, asked for to 1e-5."""
    for values in task.splits["train"].inputs.values():
        np.testing.assert_allclose(values.mean(0, dtype=np.float64), 0, atol=1e-5)
        np.testing.assert_allclose(values.std(0, dtype=np.float64), 1, atol=1e-5)


def test_tmc_trains_on_all_and_only_monitors(tmc):
    train, validation = tmc.splits["train"], tmc.splits["validation"]
    assert (train.size, validation.size) == (100, 10)
    assert rows_in(validation, train) == validation.size


def test_tmc_scales_train_to_the_unit_interval(tmc):
    for values in tmc.splits["train"].inputs.values():
        np.testing.assert_allclose(
            [values.min(0), values.max(0)], np.stack([np.zeros(values.shape[1]), np.ones(values.shape[1])]), atol=1e-6
        )


@pytest.mark.parametrize("name", ["handwritten", "handwritten/tmc"])
def test_scaling_never_sees_the_test_split(name, dummy, cache_dir, tmp_path):
    """With other test features, train and validation stay bit for bit."""
    import scipy.io

    arrays = scipy.io.loadmat(dummy("handwritten") / views.FILE)
    changed = {
        field: array * (3 if field.endswith("_test") and field[0] == "x" else 1)
        for field, array in arrays.items()
        if field[0] != "_"
    }
    scipy.io.savemat(tmp_path / views.FILE, changed)
    before = load_task(name, str(dummy("handwritten")), str(cache_dir))
    after = load_task(name, str(tmp_path), str(tmp_path / "cache"))
    for split, same in (("train", True), ("validation", True), ("test", False)):
        equal = [
            np.array_equal(before.splits[split].inputs[view], after.splits[split].inputs[view]) for view in views.VIEWS
        ]
        assert all(equal) if same else not any(equal)


def test_a_constant_feature_stays_finite(dummy, tmp_path):
    import scipy.io

    arrays = {
        field: array for field, array in scipy.io.loadmat(dummy("handwritten") / views.FILE).items() if field[0] != "_"
    }
    arrays["x5_train"][:, 0] = 7
    scipy.io.savemat(tmp_path / views.FILE, arrays)
    task = load_task("handwritten", str(tmp_path), str(tmp_path / "cache"))
    assert np.all(task.splits["train"].inputs["karhunen"][:, 0] == 0)


def test_real_file_has_its_published_shape(cache_dir):
    if not os.environ.get("MMJAX_DATA_DIR"):
        pytest.skip("MMJAX_DATA_DIR names no folder of real files")
    task = load_task("handwritten", cache_dir=str(cache_dir))
    assert [batch.size for batch in task.splits.values()] == [1280, 320, 400]
    assert all(np.all(np.bincount(batch.target) == batch.size // 10) for batch in task.splits.values())
