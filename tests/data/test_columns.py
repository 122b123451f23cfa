"""Prepared data: written once, whole or not at all, kept by the contents of the raw files."""

import concurrent.futures
import shutil

import numpy as np
import pytest
import scipy.io

from mmjax.data.columns import load_columns
from mmjax.data.handwritten import task as handwritten
from mmjax.data.handwritten import views
from mmjax.errors import InputError

FEATURES = ("pixel", "label")


def load(data_dir, cache_dir, make_builder=handwritten.make_builder):
    return load_columns(make_builder, "handwritten-test", FEATURES, views.SOURCES, str(data_dir), str(cache_dir))


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("columns")


@pytest.fixture(scope="module")
def columns(dummy, own_cache):
    return load(dummy("handwritten"), own_cache)


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_columns_are_the_raw_files_rows_in_order(columns, dummy):
    expected = views.read_views(dummy("handwritten") / views.FILE)
    assert set(columns.splits) == set(expected)
    for split, arrays in columns.splits.items():
        for name in FEATURES:
            np.testing.assert_array_equal(arrays[name], expected[split][name])


def test_a_second_load_prepares_nothing(columns, dummy, own_cache):
    def refuse(_):
        raise AssertionError("prepared again")

    before = files_of(own_cache)
    again = load(dummy("handwritten"), own_cache, refuse)
    assert again.fingerprint == columns.fingerprint and files_of(own_cache) == before


def test_who_comes_second_waits_for_the_first(dummy, tmp_path):
    made = []

    def make_builder(folder):
        made.append(folder)
        return handwritten.make_builder(folder)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        both = [pool.submit(load, dummy("handwritten"), tmp_path, make_builder) for _ in range(2)]
    assert len({future.result().fingerprint for future in both}) == 1
    assert len([folder for folder in made if "incomplete." in folder]) == 1  # another time to read what is prepared


def test_the_same_files_elsewhere_meet_the_same_cache(columns, dummy, own_cache, tmp_path):
    shutil.copytree(dummy("handwritten"), tmp_path / "handwritten")
    assert load(tmp_path, own_cache, make_builder=None).fingerprint == columns.fingerprint


def test_other_contents_never_meet_an_old_cache(columns, dummy, own_cache, tmp_path):
    arrays = scipy.io.loadmat(dummy("handwritten") / views.FILE)
    arrays["x1_test"][3, 7] += 1
    scipy.io.savemat(tmp_path / views.FILE, {name: array for name, array in arrays.items() if name[0] != "_"})
    other = load(tmp_path, own_cache)
    assert other.fingerprint != columns.fingerprint
    assert other.splits["test"]["pixel"][3, 7] == columns.splits["test"]["pixel"][3, 7] + 1


def test_broken_files_leave_nothing_behind(dummy, tmp_path):
    broken = tmp_path / "data"
    broken.mkdir()
    content = (dummy("handwritten") / views.FILE).read_bytes()
    (broken / views.FILE).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="truncated or not the right file"):
        load(broken, tmp_path / "cache")
    assert files_of(tmp_path / "cache") == []


def test_an_interrupted_write_is_no_cache(dummy, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("mmjax.data.columns.fingerprint", interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(dummy("handwritten"), tmp_path)
    assert list((tmp_path / "columns").glob("*.npy")) == [] and not any(
        p.is_dir() for p in (tmp_path / "columns").iterdir()
    )


def test_a_cache_that_cannot_be_written_is_named(dummy, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written.*MMJAX_CACHE_DIR"):
        load(dummy("handwritten"), tmp_path / "file" / "cache")
