"""A file is there whole and as registered, or not at all, whatever a server does."""

import dataclasses
import hashlib
import socket
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_web import (
    cut,
    cut_without_ranges,
    serving,
    silence,
    status,
    whole,
    without_length,
    without_ranges,
)

from mmjax.data import TASKS, arrays_of, load_task
from mmjax.data.download import PIECE, WAITS, DownloadError, download
from mmjax.data.recipe import entries_of
from mmjax.errors import InputError

CONTENT = np.random.default_rng(0).bytes(200_000)
HALF = 25 * PIECE  # a connection that breaks there has brought whole pieces


@pytest.fixture
def web():
    with serving(CONTENT) as web:
        yield web


@pytest.fixture
def path(tmp_path):
    return tmp_path / "downloads" / "file.bin"


@pytest.fixture
def waited():
    """Seconds that were waited for, which nobody does."""
    return []


@pytest.fixture
def get(web, path, waited):
    """Downloads what the web has, as registered when it was `content`."""

    def get(content=CONTENT, registered=True):
        facts = (len(content), hashlib.sha256(content).hexdigest()) if registered else (None, None)
        return download(web.url, path, *facts, wait=waited.append)

    return get


def left(path):
    """Files beside the lock."""
    return {each.name for each in path.parent.iterdir()} - {"file.bin.lock"}


def test_the_file_is_what_the_server_has(web, get, path):
    assert get() == path and path.read_bytes() == CONTENT
    assert web.ranges == [None] and web.asked[0]["Accept-Encoding"] == "identity"
    assert left(path) == {"file.bin"}


def test_what_is_there_is_not_downloaded_again_unless_it_is_damaged(web, get, path):
    get()
    get()
    assert len(web.asked) == 1
    path.write_bytes(CONTENT[:-1] + b"?")
    assert get().read_bytes() == CONTENT and len(web.asked) == 2


def test_a_connection_that_breaks_half_way_is_resumed(web, get, path, waited):
    web.answers = [cut(HALF), whole]
    assert get().read_bytes() == CONTENT
    assert web.ranges == [None, f"bytes={HALF}-"] and web.asked[1]["If-Range"] == '"1"'
    assert web.sent == len(CONTENT) and waited == [WAITS[0]]


@given(st.lists(st.integers(0, len(CONTENT) // len(WAITS)), max_size=len(WAITS)))
@settings(max_examples=15, deadline=None)
def test_wherever_it_breaks_a_piece_is_sent_twice_at_most(tmp_path_factory, cuts):
    with serving(CONTENT) as web:
        web.answers = [*map(cut, cuts), whole]
        path = tmp_path_factory.mktemp("any") / "file.bin"
        digits = hashlib.sha256(CONTENT).hexdigest()
        assert download(web.url, path, len(CONTENT), digits, wait=lambda _: None).read_bytes() == CONTENT
        assert web.sent <= len(CONTENT) + len(cuts) * PIECE and left(path) == {"file.bin"}


def test_a_later_process_goes_on_where_an_earlier_one_stopped(web, get, path):
    web.answers = [cut(HALF), silence]
    with pytest.raises(DownloadError, match=f"{HALF:,} of 200,000 bytes, 5 times"):
        get()
    assert not path.exists() and path.with_name("file.bin.part").read_bytes() == CONTENT[:HALF]
    web.answers = [whole]
    assert get().read_bytes() == CONTENT
    assert web.ranges[-1] == f"bytes={HALF}-" and web.sent == len(CONTENT)
    assert left(path) == {"file.bin"}


def test_a_part_of_another_version_is_given_up(web, get, path):
    web.content, web.answers = CONTENT[::-1], [cut(HALF), silence]
    with pytest.raises(DownloadError):
        get()
    web.content, web.etag, web.answers = CONTENT, '"2"', [whole]
    assert get().read_bytes() == CONTENT


def test_without_versions_the_checksum_tells_that_two_halves_do_not_fit(web, get, path):
    web.content, web.etag, web.answers = CONTENT[::-1], None, [cut(HALF), silence]
    with pytest.raises(DownloadError):
        get()
    web.content, web.answers = CONTENT, [whole]
    asked = len(web.asked)
    assert get().read_bytes() == CONTENT
    assert web.ranges[asked:] == [f"bytes={HALF}-", None]


def test_a_server_without_ranges_starts_afresh(web, get):
    web.answers = [cut(HALF), without_ranges]
    assert get().read_bytes() == CONTENT and web.ranges == [None, f"bytes={HALF}-"]


def test_a_range_that_is_refused_starts_afresh(web, get):
    web.answers = [cut(HALF), status(416), whole]
    assert get().read_bytes() == CONTENT and web.ranges == [None, f"bytes={HALF}-", None]


def test_an_answer_that_is_always_truncated_is_no_file(web, get, path, waited):
    web.answers = [cut_without_ranges(HALF)]
    with pytest.raises(DownloadError, match=f"{HALF:,} of 200,000 bytes, 5 times"):
        get()
    assert not path.exists() and len(web.asked) == 5 and waited == list(WAITS) == sorted(waited)


def test_other_bytes_of_the_same_size_leave_nothing(web, get, path):
    with pytest.raises(DownloadError, match="not the registered file: its SHA-256 is"):
        get(CONTENT[:-1] + b"?")
    assert left(path) == set()


@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_another_size_is_refused_before_it_is_downloaded(web, get, path, size):
    with pytest.raises(DownloadError, match=f"200,000 bytes, and {size:,} are registered"):
        get((CONTENT + b"?")[:size])
    assert web.sent <= len(CONTENT) and len(web.asked) == 1 and not path.exists()


def test_an_answer_that_does_not_end_is_cut_off(web, get, path):
    web.answers = [without_length]
    with pytest.raises(DownloadError, match="more than the 1,000 bytes that are registered"):
        get(CONTENT[:1000])
    assert not path.exists()
    web.content = CONTENT[:1000]
    assert get(CONTENT[:1000]).read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("code, said", [(404, "404 Not Found"), (403, "403 Forbidden"), (304, "304")])
def test_a_refusal_is_not_repeated(web, get, path, waited, code, said):
    web.answers = [status(code)]
    with pytest.raises(DownloadError, match=f"the server answers {said}"):
        get()
    assert len(web.asked) == 1 and waited == [] and not path.exists()


def test_a_server_in_trouble_is_asked_again(web, get, waited):
    web.answers = [status(500), status(503), silence, whole]
    assert get().read_bytes() == CONTENT and waited == list(WAITS[:3])


def test_a_server_that_stays_in_trouble_is_given_up(web, get, path):
    web.answers = [status(500)]
    with pytest.raises(DownloadError, match="500 Internal Server Error, 5 times"):
        get()
    assert len(web.asked) == 5 and left(path) == set()


def test_redirects_are_followed(web, get):
    web.answers = [status(302, Location=web.url + "?again"), whole]
    assert get().read_bytes() == CONTENT and len(web.asked) == 2


def test_a_file_that_is_not_registered_is_resumed_only_if_its_version_is_known(web, get, path):
    web.answers = [cut(HALF), whole]
    assert get(registered=False).read_bytes() == CONTENT and web.ranges == [None, f"bytes={HALF}-"]
    path.unlink()
    web.etag, web.answers = None, [whole, whole, cut(HALF), whole]
    assert get(registered=False).read_bytes() == CONTENT and web.ranges[2:] == [None, None]


def test_a_weak_version_does_not_promise_the_same_bytes(web, get):
    web.etag, web.answers = 'W/"1"', [cut(HALF), whole]
    assert get().read_bytes() == CONTENT and "If-Range" not in web.asked[1]


@pytest.mark.parametrize(
    "url, said",
    [
        ("http://example.org/x", "Name or service not known"),
        ("http://127.0.0.1:1/x", "Connection refused"),
        ("nothing", "No scheme supplied"),
    ],
)
def test_without_a_server_nothing_is_waited_for(path, waited, monkeypatch, url, said):
    def no_network(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    if "example" in url:
        monkeypatch.setattr("socket.getaddrinfo", no_network)
    with pytest.raises(DownloadError, match=said) as error:
        download(url, path, wait=waited.append)
    assert waited == [] and "object at" not in str(error.value) and left(path) == set()


def test_those_who_want_one_file_at_once_download_it_once(web, get):
    found = []
    threads = [threading.Thread(target=lambda: found.append(get().read_bytes())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 4 and len(web.asked) == 1


@pytest.fixture
def scene15(monkeypatch, dummy):
    """`scene15` whose address is on this machine and has the dummy file."""
    from mmjax.data.scene15.scene15_dataset_builder import Builder
    from mmjax.data.scene15.task import FILE, RECIPE

    content = (dummy("scene15") / FILE).read_bytes()
    with serving(content) as web:
        (layout,) = RECIPE.dataset.layouts
        source = dataclasses.replace(layout.sources[0], url=web.url)
        layout = dataclasses.replace(layout, sources=(source,))
        recipe = dataclasses.replace(RECIPE, dataset=dataclasses.replace(RECIPE.dataset, layouts=(layout,)))
        known = SimpleNamespace(size=len(content), checksum=hashlib.sha256(content).hexdigest())
        monkeypatch.setattr(Builder, "DATASET", recipe.dataset)
        monkeypatch.setattr(Builder, "url_infos", {web.url: known})
        monkeypatch.setitem(TASKS, "scene15", entries_of(recipe)["scene15"])
        monkeypatch.delenv("MMJAX_DATA_DIR", raising=False)
        yield web


def test_a_task_that_is_downloaded_is_the_one_in_a_folder(scene15, dummy, tmp_path):
    scene15.answers = [cut(PIECE + 9), whole]
    downloaded = load_task("scene15", cache_dir=str(tmp_path / "downloaded"))
    in_folder = load_task("scene15", str(dummy("scene15")), str(tmp_path / "in_folder"))
    assert scene15.ranges == [None, f"bytes={PIECE}-"]
    assert downloaded.fingerprint == in_folder.fingerprint
    for (name, one), (other_name, other) in zip(arrays_of(downloaded), arrays_of(in_folder), strict=True):
        assert name == other_name
        np.testing.assert_array_equal(one, other)


def test_a_task_whose_address_is_dead_says_what_to_do_and_prepares_nothing(scene15, tmp_path):
    scene15.answers = [status(404)]
    with pytest.raises(InputError) as error:
        load_task("scene15", cache_dir=str(tmp_path))
    for words in ("scene15_mtv.mat", scene15.url, "404 Not Found", "get it from https://github.com/", "data_dir"):
        assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert not [path for path in (tmp_path / "tasks").iterdir() if path.is_dir()]
