"""What made a task's inputs is kept with its runs, and makes them again from the raw values, bit for bit."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import mmjax.data
from experiments.kept_preprocessing import folder_of, keep_preprocessing, load_kept
from experiments.run_grid import Request, run_grid
from mmjax.data import load_task
from mmjax.data.prepare import column_of, read_rows
from mmjax.data.recipes import RECIPES
from mmjax.data.transforms import preprocessing
from mmjax.errors import InputError

DUMMY = Path(mmjax.data.__file__).parent / "rosmap" / "dummy_data"


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def rosmap(cache_dir):
    return load_task("rosmap", str(DUMMY), str(cache_dir))


def place(task, workdir):
    return folder_of(task.name, task.fingerprint, workdir)


@pytest.fixture
def launched(rosmap, training, combine, tmp_path):
    """The workdir of a launch."""
    request = Request(["rosmap"], ["concat"], seeds=1, overrides={"batch_size": 4}, workdir=str(tmp_path / "work"))
    run_grid(request, lambda name, data_dir: rosmap, training, combine)
    return tmp_path / "work"


def test_a_run_finds_its_preprocessing_and_gets_its_inputs_back(launched, rosmap, cache_dir):
    config = json.loads(next(launched.glob("runs/*/config.json")).read_text())
    folder = launched / "preprocessing" / f"{config['task']}-{config['data']}"
    kept = preprocessing.load(folder)
    recipe = RECIPES["rosmap"]
    (prepared,) = (cache_dir / "tfds").glob("*/rosmap")
    rows = read_rows(recipe.make_builder(str(prepared.parent)))["test"]
    assert list(kept) == [spec.name for spec in rosmap.modalities]
    for name, modality in recipe.variants[""].modalities.items():
        again = kept[name].apply(column_of(rows, modality))
        np.testing.assert_array_equal(again.values, rosmap.splits["test"].inputs[name], strict=True)
        np.testing.assert_array_equal(again.present, rosmap.splits["test"].present[name])


def test_it_is_written_once(rosmap, tmp_path):
    keep_preprocessing([rosmap, rosmap], tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    keep_preprocessing([rosmap], tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert [path.name for path in (tmp_path / "preprocessing").iterdir()] == [place(rosmap, tmp_path).name]


def test_tasks_of_one_name_and_other_data_have_folders_of_their_own(rosmap, tmp_path):
    other = dataclasses.replace(rosmap, name="a/fold.1", fingerprint="0ther")
    keep_preprocessing([rosmap, other], tmp_path)
    assert place(other, tmp_path).name == "a.fold.1-0ther" and place(other, tmp_path).is_dir()
    assert place(rosmap, tmp_path).is_dir()


def test_what_a_run_was_trained_on_stays_when_the_task_is_renamed_or_its_classes_are(rosmap, tmp_path):
    """Its predictions carry the names of then: another name, order or set of classes is kept beside, or not at all."""
    keep_preprocessing([rosmap], tmp_path)
    before = load_kept(rosmap.name, rosmap.fingerprint, tmp_path)
    turned = tuple(reversed(rosmap.class_names))
    keep_preprocessing(
        [dataclasses.replace(rosmap, name="renamed"), dataclasses.replace(rosmap, class_names=("a", "b")),
         dataclasses.replace(rosmap, class_names=turned, fingerprint="0ther")],
        tmp_path,
    )  # fmt: skip
    after = load_kept(rosmap.name, rosmap.fingerprint, tmp_path)
    assert after.class_names == before.class_names == rosmap.class_names
    assert load_kept(rosmap.name, "0ther", tmp_path).class_names == turned


def test_half_of_it_is_never_there(rosmap, tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez_compressed", killed)
        with pytest.raises(KeyboardInterrupt):
            keep_preprocessing([rosmap], tmp_path)
    assert list((tmp_path / "preprocessing").iterdir()) == []
    keep_preprocessing([rosmap], tmp_path)
    assert preprocessing.load(place(rosmap, tmp_path))


def test_another_launch_may_be_faster(rosmap, tmp_path, monkeypatch):
    folder = place(rosmap, tmp_path)
    save = preprocessing.save

    def slow(fitted, beside):
        save(fitted, beside)
        folder.mkdir()
        save(fitted, folder)  # by another, meanwhile

    monkeypatch.setattr(preprocessing, "save", slow)
    keep_preprocessing([rosmap], tmp_path)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name] and preprocessing.load(folder)


def test_a_task_that_fitted_nothing_has_none(task, tmp_path):
    keep_preprocessing([task], tmp_path)
    assert list(tmp_path.iterdir()) == []


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [flip, lambda path: path.write_bytes(path.read_bytes()[:-1]), Path.unlink])
def test_what_is_damaged_is_refused_in_one_sentence_and_written_anew(damage, rosmap, tmp_path, caplog):
    keep_preprocessing([rosmap], tmp_path)
    folder = place(rosmap, tmp_path)
    whole = load_kept(rosmap.name, rosmap.fingerprint, tmp_path)
    for path in sorted(folder.iterdir()):
        damage(path)
        with pytest.raises(InputError, match="is damaged .*: launch task 'rosmap' with this workdir again"):
            load_kept(rosmap.name, rosmap.fingerprint, tmp_path)
        caplog.clear()
        keep_preprocessing([rosmap], tmp_path)
        assert "written anew" in caplog.text
        again = load_kept(rosmap.name, rosmap.fingerprint, tmp_path)
        assert again.target == whole.target and again.preprocessing.keys() == whole.preprocessing.keys()
