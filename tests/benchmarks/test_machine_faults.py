"""What the machine refuses is told in one sentence with the place and the remedy; faults of the program are not."""

import errno
import os

import jax
import numpy as np
import pytest

from benchmarks.machine_faults import REMEDIES, sentence_of
from mmjax.disk import writing
from mmjax.errors import InputError


def raised(function):
    """The exception that a function raises."""
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("code", REMEDIES)
def test_a_refusal_of_the_disk_names_file_reason_and_remedy(code):
    sentence = sentence_of(OSError(code, os.strerror(code), "/data/file"))
    assert sentence.startswith("/data/file could not be used: ") and REMEDIES[code] in sentence
    assert os.strerror(code).lower() in sentence and "\n" not in sentence


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES, errno.EROFS])
def test_a_home_folder_that_cannot_take_the_cache_is_told_with_the_variable_that_names_another(monkeypatch, code):
    monkeypatch.setenv("HOME", "/no/home")
    monkeypatch.delenv("MMJAX_CACHE_DIR", raising=False)
    for place in ("/no/home", "/no/home/.cache", "/no/home/.cache/mmjax/tasks/file"):
        assert "by MMJAX_CACHE_DIR" in sentence_of(OSError(code, os.strerror(code), place))
    for place in ("/no", "/no/home/work", "/data"):
        assert "MMJAX_CACHE_DIR" not in sentence_of(OSError(code, os.strerror(code), place))
    monkeypatch.setenv("MMJAX_CACHE_DIR", "/cache")
    assert "MMJAX_CACHE_DIR" not in sentence_of(OSError(code, os.strerror(code), "/no/home"))


def refuse_in_c():
    raise ValueError("RESOURCE_EXHAUSTED: Failed to write 357934 bytes to file 35: No space left on device [code='28']")


def refuse_below():
    try:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
    except OSError as error:
        raise RuntimeError("Failed to finalize writing of split") from error


def refuse_numpy():
    raise OSError("45 requested and 0 written")


@pytest.mark.parametrize(
    "refuse, code", [(refuse_in_c, errno.ENOSPC), (refuse_below, errno.EDQUOT), (refuse_numpy, errno.ENOSPC)]
)
def test_whatever_a_library_makes_of_a_refusal_becomes_one_with_the_place(refuse, code):
    def write():
        with writing("/full/folder"):
            refuse()

    error = raised(write)
    assert isinstance(error, OSError) and error.errno == code
    assert sentence_of(error).startswith("/full/folder could not be used: ")


def test_a_place_that_is_named_already_stays():
    def write():
        with writing("/folder"):
            open("/nowhere/file")

    assert sentence_of(raised(write)).startswith("/nowhere/file could not be used: no such file or directory")


@pytest.mark.parametrize("error", [ValueError("a fault"), InputError("no refusal"), AssertionError(), KeyError("key")])
def test_what_is_no_refusal_passes_unchanged(error):
    def write():
        with writing("/folder"):
            raise error

    assert raised(write) is error and sentence_of(error) is None


def test_a_fault_that_comes_up_while_a_file_is_missed_stays_a_fault():
    def write():
        with writing("/folder"):
            try:
                open("/nowhere/file")
            except FileNotFoundError:
                raise KeyError("a fault")  # noqa: B904

    assert isinstance(raised(write), KeyError) and sentence_of(raised(write)) is None


def test_what_says_more_than_the_disk_stays():
    def write():
        with writing("/folder"):
            try:
                refuse_below()
            except RuntimeError as error:
                raise InputError("name another folder in MMJAX_CACHE_DIR") from error

    assert isinstance(raised(write), InputError)


def test_too_large_an_array_is_told_with_its_size():
    assert "Unable to allocate" in sentence_of(raised(lambda: np.zeros(2**58)))
    assert "not enough memory" in sentence_of(MemoryError())


def test_a_user_without_a_home_is_told_what_to_set():
    sentence = sentence_of(RuntimeError("Could not determine home directory."))
    assert "MMJAX_CACHE_DIR" in sentence and "HOME" in sentence


def test_a_platform_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    error = raised(lambda: jax.devices("no_such_platform"))
    assert "JAX_PLATFORMS=cuda" in sentence_of(error) and "JAX_PLATFORMS=cpu" in sentence_of(error)
    assert sentence_of(RuntimeError("of another kind")) is None
