"""A task that is kept is the task that was made; a folder is there whole or not at all."""

import dataclasses

import jax
import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.cache import made
from mmjax.data.identity import content_hash
from mmjax.data.prepared import read_task, write_task
from mmjax.data.transforms.contract import Column
from mmjax.errors import InputError


@pytest.fixture(scope="module", params=["mosi", "mosi/words", "covid_cxr", "maec/volatility-3", "utd_mhad", "student"])
def task(request, dummy, cache_dir):
    return load_task(request.param, str(dummy(request.param.split("/")[0])), str(cache_dir))


def test_a_task_is_what_it_was(task, tmp_path):
    write_task(task, tmp_path)
    again = read_task(tmp_path)
    jax.tree.map(np.testing.assert_array_equal, dict(task.splits), dict(again.splits))
    assert jax.tree.map(lambda x: x.dtype, dict(task.splits)) == jax.tree.map(lambda x: x.dtype, dict(again.splits))
    same = ("name", "modalities", "target", "class_names", "source", "warnings", "contaminated")
    assert all(getattr(again, name) == getattr(task, name) for name in same)
    assert content_hash(again) == task.fingerprint  # which covers that of the arrays
    assert {split: list(groups) for split, groups in again.groups.items()} == {
        split: list(groups) for split, groups in task.groups.items()
    }


def test_its_preprocessing_does_what_it_did(task, tmp_path):
    write_task(task, tmp_path)
    again = read_task(tmp_path).preprocessing
    assert again.keys() == task.preprocessing.keys()
    for name, fitted in task.preprocessing.items():
        assert again[name].steps == fitted.steps and again[name].spec == fitted.spec
        for state, other in zip(fitted.states, again[name].states, strict=True):
            jax.tree.map(np.testing.assert_array_equal, dict(state), dict(other))


def test_absent_examples_are_zero_whatever_was_there(task):
    for batch in task.splits.values():
        for name, values in batch.inputs.items():
            assert not np.any(values[~batch.present[name]]) and np.all(np.isfinite(values))


def test_it_is_mapped_and_cannot_be_written(task):
    values = next(iter(task.splits["train"].inputs.values()))
    with pytest.raises(ValueError, match="read-only"):
        values[:] = 0


def test_what_its_specs_do_not_say_is_refused(task, tmp_path):
    first, *others = task.modalities
    wrong = dataclasses.replace(first, shape=tuple(size + 1 for size in first.shape))
    with pytest.raises(InputError, match=first.name):
        write_task(dataclasses.replace(task, modalities=(wrong, *others)), tmp_path)


def test_new_examples_are_made_ready_as_train_was(dummy, cache_dir):
    """From raw strings and numbers: unseen words are unknown, a missing modality is zero."""
    task = load_task("mosi/words", str(dummy("mosi")), str(cache_dir))
    text = task.preprocessing["text"]
    raw = np.array(["rise again zebra", "fall"], object)
    column = text.apply(Column(raw, np.array([True, False])))
    assert column.values.dtype == np.int32 and column.values[0, 2] == 1 and not column.values[1].any()
    assert list(column.lengths) == [3, 0] and column.values.shape[1:] == text.spec.shape


def test_a_folder_is_made_once_and_whole(tmp_path):
    calls = []

    def write(folder):
        calls.append(folder)
        (folder / "a").write_text("a")

    place = tmp_path / "cache" / "tasks" / "one"
    assert made(place, write) == made(place, write) == place and len(calls) == 1 and (place / "a").read_text() == "a"


def test_half_of_a_folder_is_never_there(tmp_path):
    def write(folder):
        (folder / "a").write_text("a")
        raise KeyboardInterrupt

    place = tmp_path / "tasks" / "one"
    with pytest.raises(KeyboardInterrupt):
        made(place, write)
    assert [path.name for path in place.parent.iterdir()] == ["one.lock"]


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "tasks").write_text("a file")
    with pytest.raises(InputError, match="MMJAX_CACHE_DIR"):
        made(tmp_path / "tasks" / "one", lambda folder: None)
