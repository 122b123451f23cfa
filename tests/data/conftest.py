"""The builders' dummy files, and one cache that all tests of a session share."""

from pathlib import Path

import pytest

import mmjax.data

ROOT = Path(mmjax.data.__file__).parent


@pytest.fixture(scope="session")
def dummy():
    """Data set's name -> folder of its dummy files."""
    return lambda name: ROOT / name / "dummy_data"


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory):
    """A cache in which every data set is prepared once."""
    return tmp_path_factory.mktemp("cache")
