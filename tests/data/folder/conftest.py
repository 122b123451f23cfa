"""Two good folders, written once; a test that damages one gets a copy."""

import shutil

import pytest
from make_folders import write_arrays, write_good


@pytest.fixture(scope="session")
def _good(tmp_path_factory):
    return write_good(tmp_path_factory.mktemp("folders") / "good")


@pytest.fixture(scope="session")
def _arrays(tmp_path_factory):
    return write_arrays(tmp_path_factory.mktemp("folders") / "arrays")


@pytest.fixture
def good(_good, tmp_path):
    """A folder of a CSV, images and sounds."""
    return shutil.copytree(_good, tmp_path / "good")


@pytest.fixture
def arrays(_arrays, tmp_path):
    """A folder of arrays."""
    return shutil.copytree(_arrays, tmp_path / "arrays")
