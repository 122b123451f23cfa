"""Raw files are found, or it is said which, where it was looked for and how to get it."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmjax.data.download import DownloadError
from mmjax.data.sources import Source, digest, fetch, find, reading
from mmjax.disk import REFUSALS
from mmjax.errors import InputError

IMAGES = "https://example.org/images.gz"
SOURCES = (
    Source("mnist", "images.gz", IMAGES, "example.org"),
    Source("noise", "noise.npz", "", "a friend"),
)


class Downloads:
    """What `fetch` needs of TFDS's download manager."""

    def __init__(self, manual_dir):
        self._manual_dir, self.download_dir = manual_dir, Path("/downloads")

    @property
    def manual_dir(self):
        if self._manual_dir is None:
            raise AssertionError("Manual directory not enabled.")
        return self._manual_dir


@pytest.fixture
def asked(monkeypatch):
    """What was downloaded, each with what is registered of it; nothing really is."""
    asked = []

    def download(url, path, size, sha256):
        asked.append((url, size, sha256))
        return path

    monkeypatch.setattr("mmjax.data.sources.download", download)
    return asked


@pytest.mark.parametrize("folder", ["mnist", "."])
def test_files_lie_in_their_folder_or_directly_in_data_dir(tmp_path, folder):
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "images.gz").write_bytes(b"x")
    assert find(tmp_path, SOURCES[:1])["images.gz"].read_bytes() == b"x"


def test_missing_file_is_named_with_both_places_and_origin(tmp_path):
    (tmp_path / "images.gz").write_bytes(b"x")
    with pytest.raises(InputError) as error:
        find(tmp_path, SOURCES)
    for word in ("noise.npz", str(tmp_path / "noise"), "a friend", "MMJAX_DATA_DIR"):
        assert word in str(error.value)


def test_missing_data_dir_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere.*not a folder"):
        find(tmp_path / "nowhere", SOURCES)


def test_only_what_is_not_there_is_downloaded(tmp_path, asked):
    (tmp_path / "noise.npz").write_bytes(b"x")
    paths = fetch(Downloads(tmp_path), SOURCES, {IMAGES: SimpleNamespace(size=3, checksum="ab")})
    assert asked == [(IMAGES, 3, "ab")]
    assert paths["noise.npz"] == tmp_path / "noise.npz" and paths["images.gz"].name == "images.gz"


def test_files_of_one_name_and_two_addresses_do_not_share_a_place(asked):
    first, second = (
        fetch(Downloads(None), [Source("mnist", "images.gz", url, "")], None)["images.gz"] for url in (IMAGES, "other")
    )
    assert first != second and asked[0] == (IMAGES, None, None)


def test_what_cannot_be_downloaded_is_said_before_the_network_is_asked(asked):
    with pytest.raises(InputError, match="noise.npz cannot be downloaded; get it from a friend"):
        fetch(Downloads(None), SOURCES, None)
    assert not asked


@pytest.mark.parametrize(
    "error, said",
    [
        (DownloadError("no route to host"), f"images.gz could not be downloaded from {IMAGES} .no route to host.; get"),
        (PermissionError(13, "Permission denied"), "images.gz cannot be written .*Permission denied.*MMJAX_CACHE_DIR"),
    ],
)
def test_a_failed_download_is_one_sentence(monkeypatch, error, said):
    def fail(*_):
        raise error

    monkeypatch.setattr("mmjax.data.sources.download", fail)
    with pytest.raises(InputError, match=said):
        fetch(Downloads(None), SOURCES[:1], None)


def test_digest_follows_contents_not_places(tmp_path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    first, same, other = (digest({"file": tmp_path / name}) for name in "abc")
    assert first == same != other


def test_whatever_a_parser_raises_becomes_a_sentence(tmp_path):
    with pytest.raises(InputError, match="truncated or not the right file .IndexError"), reading(tmp_path / "x.mat"):
        raise IndexError


def test_a_broken_file_is_had_again_from_its_source_or_from_who_made_it(tmp_path):
    for own, remedy in ((False, "get it again from its source"), (True, "save it again, or leave it out")):
        with pytest.raises(InputError, match=f"x.mat is truncated or not the right file .*{remedy}"):
            with reading(tmp_path / "x.mat", own):
                raise KeyError("heading")


def test_more_memory_than_there_is_is_no_fault_of_the_file(tmp_path):
    with pytest.raises(MemoryError), reading(tmp_path / "x.mat"):
        raise MemoryError


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("more", [(), ("/closed/file",)])
def test_what_the_machine_refuses_is_no_fault_of_the_file(tmp_path, own, more):
    for code in REFUSALS:
        with pytest.raises(OSError) as raised, reading(tmp_path / "x.mat", own):
            raise OSError(code, os.strerror(code), *more)
        assert raised.value.errno == code and raised.value.filename == (more[0] if more else str(tmp_path / "x.mat"))
    with pytest.raises(InputError, match="truncated or not the right file"), reading(tmp_path / "x.mat", own):
        raise OSError("image file is truncated")  # a parser's own, without the system's number
