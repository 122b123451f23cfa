"""Raw files are found, or it is said which, where it was looked for and how to get it."""

import io
import urllib.error

import pytest

from mmjax.data.sources import Source, digest, fetch, find, reading
from mmjax.errors import InputError

SOURCES = (
    Source("mnist", "images.gz", "https://example.org/images.gz", "example.org"),
    Source("noise", "noise.npz", "", "a friend"),
)


@pytest.fixture(autouse=True)
def network(monkeypatch):
    """A network that answers, without one: what is asked for before a download."""
    monkeypatch.setattr("urllib.request.urlopen", lambda request, timeout: io.BytesIO())


class Downloads:
    """What `fetch` needs of TFDS's download manager, without a network."""

    def __init__(self, manual_dir, fails=None):
        self._manual_dir, self._fails, self.asked = manual_dir, fails, []

    @property
    def manual_dir(self):
        if self._manual_dir is None:
            raise AssertionError("Manual directory not enabled.")
        return self._manual_dir

    def download(self, url):
        self.asked.append(url)
        if self._fails:
            raise self._fails
        return f"/downloads/{url.rsplit('/', 1)[1]}"


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


def test_only_what_is_not_there_is_downloaded(tmp_path):
    (tmp_path / "noise.npz").write_bytes(b"x")
    downloads = Downloads(tmp_path)
    paths = fetch(downloads, SOURCES)
    assert downloads.asked == ["https://example.org/images.gz"]
    assert paths["noise.npz"] == tmp_path / "noise.npz"


def test_what_cannot_be_downloaded_is_said_before_the_network_is_asked():
    downloads = Downloads(None)
    with pytest.raises(InputError, match="noise.npz cannot be downloaded; get it from a friend"):
        fetch(downloads, SOURCES)
    assert not downloads.asked


def test_a_failed_download_is_one_sentence():
    with pytest.raises(
        InputError, match="images.gz could not be downloaded from https://example.org/images.gz .no route"
    ) as error:
        fetch(Downloads(None, fails=OSError("no route\nto host")), SOURCES[:1])
    assert "\n" not in str(error.value)


def test_without_a_network_nothing_is_tried(monkeypatch):
    def unreachable(request, timeout):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    downloads = Downloads(None)
    with pytest.raises(InputError, match="images.gz could not be downloaded .*Name or service not known"):
        fetch(downloads, SOURCES[:1])
    assert not downloads.asked


def test_digest_follows_contents_not_places(tmp_path):
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    first, same, other = (digest({"file": tmp_path / name}) for name in "abc")
    assert first == same != other


def test_whatever_a_parser_raises_becomes_a_sentence(tmp_path):
    with pytest.raises(InputError, match="truncated or not the right file .IndexError"), reading(tmp_path / "x.mat"):
        raise IndexError
