"""What was prepared is what is read: a byte flipped, a file cut or gone is found, told and made again."""

import itertools
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.cache import made
from mmjax.data.checksums import FILE, damage_of, write_checksums
from mmjax.data.code import code_of_data


def flip(path: Path):
    """One bit, in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path):
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES = [flip, cut, Path.unlink]


def files_of(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("checksums")


# A recipe's task; columns; what is computed of a table; and what TFDS holds below the first two.
PLACES = [
    ("pie", "tasks/pie-*", None),
    ("handwritten/tmc", "columns/handwritten-*", None),
    ("synthetic/redundant-3", "information/*", None),
    ("pie", "tfds/pie-*", "tasks"),
    ("handwritten/tmc", "tfds/handwritten-*", "columns"),
]


@pytest.mark.parametrize("name, place, above", PLACES, ids=[f"{name}-{place}" for name, place, _ in PLACES])
def test_whatever_is_damaged_is_made_again_with_a_warning(name, place, above, dummy, own_cache, caplog):
    """Every file of a folder in turn, each in one of three ways; the task keeps its fingerprint."""
    cache = own_cache / name.partition("/")[0]

    def load():
        if above:  # what was made of it is there no more, so that it is read
            shutil.rmtree(cache / above, ignore_errors=True)
        return load_task(name, str(dummy(name.partition("/")[0])), str(cache))

    expected = load()
    (folder,) = (path for path in cache.glob(place) if path.is_dir())
    files = files_of(folder)
    assert Path(FILE) in files and len(files) > 1
    for path, damage in zip(files, itertools.cycle(DAMAGES)):
        caplog.clear()
        damage(folder / path)
        task = load()
        (message,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
        assert str(folder) in message and "made again" in message
        assert path.as_posix() in message or path.name == FILE  # whose damage may read as another's
        assert task.fingerprint == expected.fingerprint and task.information == expected.information
        assert files_of(folder) == files and damage_of(folder) is None
    caplog.clear()
    load()
    assert not caplog.records
    assert sorted(p.suffix for p in folder.parent.iterdir() if p != folder) == [".lock"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_to_each_file_is_found_and_mended(damage, tmp_path):
    """Empty files, nested ones, arrays and JSON."""

    def write(folder):
        (folder / "train" / "inputs").mkdir(parents=True)
        np.save(folder / "train" / "inputs" / "a.npy", np.arange(1000.0))
        (folder / "task.json").write_text('{"name": "a"}')
        (folder / "x").write_text("1")

    place = tmp_path / "tasks" / "one"
    whole = {path: (made(place, write) / path).read_bytes() for path in files_of(made(place, write))}
    for path in whole:
        damage(place / path)
        assert damage_of(place)
        made(place, write)
        assert {path: (place / path).read_bytes() for path in files_of(place)} == whole


def test_damage_is_found_when_size_and_time_are_as_they_were(tmp_path):
    """By a process that has not read the folder yet, as `_intact` of a new one is empty."""
    from mmjax.data import checksums

    (tmp_path / "a").write_bytes(bytes(100))
    write_checksums(tmp_path)
    stat = (tmp_path / "a").stat()
    assert damage_of(tmp_path) is None
    flip(tmp_path / "a")
    os.utime(tmp_path / "a", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    checksums._intact.clear()
    assert damage_of(tmp_path) == "a is not as it was written"


def test_what_is_not_checksums_is_told(tmp_path):
    (tmp_path / "a").write_text("a")
    for content in ("", "[1, 2]", "{", "\x00", "3"):
        (tmp_path / FILE).write_text(content)
        assert damage_of(tmp_path) == f"{FILE} is not as it was written"
    (tmp_path / FILE).write_text('{"b/c": "0"}')
    assert damage_of(tmp_path) == "b/c is missing"


def test_a_file_that_is_not_its_own_is_left_alone(tmp_path):
    (tmp_path / "a").write_text("a")
    write_checksums(tmp_path)
    (tmp_path / ".DS_Store").write_text("of the system")
    assert damage_of(tmp_path) is None


def test_an_empty_folder_is_whole(tmp_path):
    """And a folder of a former version, which has no checksums, is made again."""
    place = tmp_path / "tasks" / "one"
    made(place, lambda folder: None)
    assert [path.name for path in made(place, None).iterdir()] == [FILE]
    (place / FILE).unlink()
    made(place, lambda folder: (folder / "a").write_text("a"))
    assert damage_of(place) is None and (place / "a").read_text() == "a"


def test_what_cannot_be_made_again_leaves_nothing_broken_behind(tmp_path):
    place = tmp_path / "tasks" / "one"
    made(place, lambda folder: (folder / "a").write_text("a"))
    flip(place / "a")

    def interrupted(folder):
        (folder / "a").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(place, interrupted)
    assert [path.name for path in place.parent.iterdir()] == ["one.lock"]


def test_arrays_that_are_mapped_stay_as_they_were_read(tmp_path):
    """Another process may mend a folder that this one has open."""
    place = tmp_path / "tasks" / "one"
    made(place, lambda folder: np.save(folder / "a.npy", np.arange(5)))
    mapped = np.load(place / "a.npy", mmap_mode="r")
    (place / FILE).unlink()
    made(place, lambda folder: np.save(folder / "a.npy", np.zeros(5, int)))
    assert mapped.tolist() == [0, 1, 2, 3, 4]


def test_keys_hold_the_code(own_cache, dummy):
    """Of data sets with a recipe and without, and of what lies below them."""
    for name in ("pie", "handwritten/tmc", "synthetic/redundant-3"):
        base = name.partition("/")[0]
        load_task(name, str(dummy(base)), str(own_cache / base))
        folders = [path for path in (own_cache / base).glob("*/*") if path.is_dir() and path.parent.name != "downloads"]
        assert folders and all(code_of_data() in path.name for path in folders)
