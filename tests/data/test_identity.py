"""A task is its content and its absolute place, however it is spelt, and no two of a launch read alike."""

import dataclasses
import logging
import shutil

import numpy as np
import pytest
from make_folders import ARRAYS_TASK, arrays_of, write_arrays
from small_tasks import small_task

from mmjax.config import DEFAULTS, config_for
from mmjax.data import defaults_of, is_registered, load_task, load_tasks, tasks_of
from mmjax.data.identity import canonical, content_hash, told_apart, without_zero
from mmjax.data.transforms import preprocessing
from mmjax.data.transforms.contract import Column
from mmjax.data.transforms.registry import TRANSFORMS


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """tmp_path with the same arrays under a/data and, with other values, under b/data; the working directory."""
    monkeypatch.chdir(tmp_path)
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        shift = arrays_of()["table"] + (place == "b")
        write_arrays(tmp_path / place / "data", table=shift)
    return tmp_path


def test_a_folder_spelt_in_many_ways_is_one_task(folders):
    (folders / "link").symlink_to(folders / "a" / "data")
    spellings = [
        "a/data",
        "a/data/",
        "./a/data",
        f"{folders}/a/data",
        "a/../a/data",
        "a/data/task.yaml",
        "link",
        "a/data#",
    ]
    assert tasks_of(spellings) == [str(folders.resolve() / "a" / "data")]
    assert tasks_of(["a/data#fold", "link/#fold.0", "a/data#fold.00"]) == [str(folders.resolve() / "a" / "data#fold")]
    assert len(tasks_of(["a/data#fold.1", "a/data#fold.10", "a/data#fold", "b/data"])) == 4


def test_the_home_folder_is_spelt_out(folders, monkeypatch):
    monkeypatch.setenv("HOME", str(folders / "a"))
    assert tasks_of(["~/data", "a/data"]) == [str(folders.resolve() / "a" / "data")]


def test_a_path_may_have_a_hash_of_its_own(folders):
    odd = folders / "ward #3"
    shutil.copytree(folders / "a" / "data", odd / "data")
    assert tasks_of(["ward #3/data"]) == [str(odd.resolve() / "data")]
    assert canonical("ward #3/data#fold.1") == f"{odd.resolve()}/data#fold.1"
    assert load_task("ward #3/data#fold.1", cache_dir=str(folders / "cache")).name == "data/fold.1"


@pytest.mark.parametrize("name, same", [("pie/random_80_20.0", "pie/random_80_20"), ("pie/random_80_20.10", None)])
def test_a_protocol_without_a_number_has_the_number_0(name, same):
    assert tasks_of([name]) == [same or name] and without_zero(name) == (same or name)


def test_a_registered_name_wins_over_a_folder_and_says_so(folders, caplog):
    for name in ("student", "medicine", "student/portuguese"):
        shutil.copytree(folders / "a" / "data", folders / name, dirs_exist_ok=True)
    with caplog.at_level(logging.WARNING):
        assert tasks_of(["student", "student/portuguese"]) == ["student", "student/portuguese"]
        assert "rosmap" in tasks_of(["medicine"])
    assert caplog.text.count("give ./") == 3 and "give ./student for the folder" in caplog.text
    assert tasks_of(["./student", "student/"]) == [str(folders.resolve() / "student")]


def test_the_defaults_of_a_folder_do_not_depend_on_its_path(folders):
    shutil.copytree(folders / "a" / "data", folders / "student" / "clinic")
    for name in ("student/clinic", "./student/clinic", str(folders / "student" / "clinic"), "avdigits/../a/data"):
        assert not is_registered(name) and defaults_of(name) == DEFAULTS
    for name in ("student", "student/portuguese", "student/fold.1"):
        assert defaults_of(name) == config_for("student") != DEFAULTS


def test_folders_of_one_name_are_told_apart_and_keep_their_names(folders):
    cache = str(folders / "cache")

    def load(name, data_dir):
        return load_task(name, data_dir, cache)

    both = load_tasks(tasks_of(["a/data", "b/data"]), load=load)
    assert [task.title for task in both.values()] == ["data (a/data)", "data (b/data)"]
    (alone,) = load_tasks(tasks_of(["b/data"]), load=load).values()
    beside = both[str(folders.resolve() / "b" / "data")]
    assert alone.title == alone.name == beside.name == "data" and alone.fingerprint == beside.fingerprint
    assert len({task.fingerprint for task in both.values()}) == 2


def titles(**tasks):
    of_name = {place.replace("_", "/"): dataclasses.replace(small_task(), name=name) for place, name in tasks.items()}
    return [task.title for task in told_apart(of_name)]


def test_titles_say_as_much_of_the_path_as_it_takes():
    assert titles(_x_data="data", _y_rows="rows") == ["data", "rows"]
    assert titles(_x_data="clinic", _x_rows="clinic") == ["clinic (data)", "clinic (rows)"]
    assert titles(_x_m_data="data", _y_m_data="data", _z_data="data") == [
        "data (x/m/data)",
        "data (y/m/data)",
        "data (z/data)",
    ]
    assert titles(student="student", _x_student="student") == ["student", "student (student)"]
    assert titles(_x_Data="Data", _y_data="data") == ["Data (x/Data)", "data (y/data)"]
    assert titles(_x_data="data", _X_data="data") == ["data (x/data)", "data (X/data)"]


def test_what_a_task_means_is_part_of_its_content():
    """Arrays are equal throughout; units, the order of modalities, and classes' names are not."""
    task = dataclasses.replace(small_task(), fingerprint="f00d")
    units = [_scaled(1.0), _scaled(100.0)]
    tasks = [
        task,
        dataclasses.replace(task, class_names=("healthy", "ill", "dead")),
        dataclasses.replace(task, class_names=("ill", "healthy", "dead")),
        dataclasses.replace(task, modalities=task.modalities[::-1]),
        *(dataclasses.replace(task, preprocessing={"table": fitted}) for fitted in units),
    ]
    np.testing.assert_allclose(units[0].apply(_column(1.0)).values, units[1].apply(_column(100.0)).values, rtol=1e-5)
    hashes = [content_hash(task) for task in tasks]
    assert len(set(hashes)) == len(tasks) and hashes == [content_hash(task) for task in tasks]
    assert content_hash(dataclasses.replace(task, label="x", name="y", warnings=("z",))) == hashes[0]


def test_classes_that_are_renamed_make_another_task(folders):
    prints = set()
    for names in ("a", "b"):
        place = folders / names / "named"
        write_arrays(place, label=np.where(arrays_of()["label"], f"{names}1", f"{names}0"))
        (place / "task.yaml").write_text(ARRAYS_TASK)
        task = load_task(str(place), cache_dir=str(folders / "cache"))
        assert task.class_names == (f"{names}0", f"{names}1")
        prints.add(task.fingerprint)
    assert len(prints) == 2


def _column(unit):
    values = unit * np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    return Column(values, np.ones(20, bool))


def _scaled(unit):
    return preprocessing.fit("table", "vector", (TRANSFORMS["Scale"](),), _column(unit))
