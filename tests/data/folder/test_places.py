"""Files are found as people name them, those of file managers are none, and nothing leads out."""

import zipfile

import pytest

from mmjax.data.folder import places
from mmjax.data.folder.places import contents, members_named, place_of
from mmjax.data.folder.schema import Reference
from mmjax.errors import InputError

LEFTOVERS = ("._001.png", ".DS_Store", "__MACOSX/._001.png", "Thumbs.db", "a/desktop.ini", ".hidden/1.png", "a/._2.png")
HELD = ("001.png", "a/2.png")


def archive(path, names, mode=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", mode) as file:
        for name in names:
            file.writestr(name, b"x")
    return path


def test_what_file_managers_leave_is_no_example(tmp_path):
    for name in (*LEFTOVERS, *HELD):
        (tmp_path / "scans" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scans" / name).write_bytes(b"x")
    assert tuple(contents(tmp_path / "scans")) == HELD
    assert tuple(contents(archive(tmp_path / "scans.zip", (*LEFTOVERS, *HELD)))) == HELD


@pytest.mark.parametrize("prefix", ["", "scans/", "scans\\"])
def test_windows_paths_in_an_archive_are_paths(tmp_path, prefix):
    names = [prefix + name.replace("/", "\\") for name in HELD]
    assert tuple(contents(archive(tmp_path / "scans.zip", names))) == HELD


@pytest.mark.parametrize(
    "name", ["..\\0.png", "a\\..\\..\\0.png", "\\0.png", "C:\\0.png", "c:0.png", "../0.png", "/0.png"]
)
def test_no_path_leads_out_of_an_archive(tmp_path, name):
    with pytest.raises(InputError, match="leads out"):
        contents(archive(tmp_path / "scans.zip", [name]))


def test_a_name_twice_in_an_archive_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"'a/0.png' twice"):
        contents(archive(tmp_path / "scans.zip", ["a/0.png", "a\\0.png"]))


def test_an_archive_with_a_password_is_told(tmp_path):
    path = archive(tmp_path / "scans.zip", ["0.png"], zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    content[6] |= 1  # flags in the member's heading
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the archive's list
    path.write_bytes(content)
    with pytest.raises(InputError, match="is encrypted; pack it without a password"):
        contents(path)


def test_an_archive_is_bounded_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(places, "LARGEST_ARCHIVE", 3)
    assert len(contents(archive(tmp_path / "a.zip", "abc"))) == 3
    with pytest.raises(InputError, match="unpacks to more than 3 bytes; unpack it into a folder"):
        contents(archive(tmp_path / "b.zip", "abcd"))


@pytest.mark.parametrize(
    "cell",
    ["a/2.png", "./a/2.png", "a\\2.png", "data/images/a/2.png", "data\\images\\a\\2.png", "images/a/2.png", " a/2.png"],
)
@pytest.mark.parametrize("file", ["data/images", "data/images.zip"])
def test_a_table_may_name_files_as_below_the_task_s_folder_or_its_own(cell, file):
    named = members_named([cell, ""], HELD, Reference(1, file, names="data/t.csv"))
    assert list(named) == ["a/2.png", ""]


def test_a_file_that_is_not_there_keeps_its_name():
    reference = Reference(1, "images", names="t.csv")
    assert list(members_named(["../images/9.png", "9.png"], HELD, reference)) == ["../images/9.png", "9.png"]


@pytest.mark.parametrize("file", ["x" * 5000, "a\0b", "loop/a"])
def test_a_name_that_no_file_can_have_is_told(tmp_path, file):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="task.yaml, line 3"):
        place_of(tmp_path, 3, file)
