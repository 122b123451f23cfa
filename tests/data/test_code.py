"""The hash of the code that prepares data: whatever preparing can run is in it, and nothing else of the project."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mmjax.data.code import PACKAGE, code_of_data, hash_of, sources_of

IMPORT_ALL = """
import importlib, pkgutil, sys
import mmjax.data
for module in pkgutil.walk_packages(mmjax.data.__path__, "mmjax.data."):
    importlib.import_module(module.name)
print(*(m.__file__ for name, m in sorted(sys.modules.items()) if name.partition(".")[0] == "mmjax"), sep="\\n")
"""


@pytest.fixture
def copy(tmp_path):
    """A copy of the package's source."""
    return Path(
        shutil.copytree(PACKAGE, tmp_path / "mmjax", ignore=shutil.ignore_patterns("__pycache__", "dummy_data"))
    )


def test_it_holds_whatever_python_imports():
    command = [sys.executable, "-c", IMPORT_ALL]
    imported = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PACKAGE.parent).stdout.split()
    assert len(imported) > 50 and {Path(path) for path in imported} <= set(sources_of(PACKAGE))


def test_another_place_is_the_same_code(copy):
    assert hash_of(copy) == code_of_data()


def test_any_of_its_files_changes_it(copy):
    """Each in turn, so that each hash differs from all before."""
    paths = [path for path in sources_of(copy) if copy / "data" not in path.parents]
    assert copy / "layers" / "spectrogram.py" in paths
    paths += [copy / "data" / "avdigits" / name for name in ("log_mel.py", "checksums.tsv")]
    hashes = {hash_of(copy)}
    for path in paths:
        path.write_bytes(path.read_bytes() + b"\n")
        hashes.add(hash_of(copy))
    assert len(hashes) == 1 + len(paths)


def test_what_preparing_cannot_reach_does_not(copy):
    before = hash_of(copy)
    for path in (copy / "model.py", copy / "layers" / "attention.py"):
        path.write_text("changed")
    assert hash_of(copy) == before


@pytest.mark.parametrize(
    "statement",
    [
        "import mmjax.layers.other",
        "from mmjax.layers import other",
        "from mmjax.layers.other import x",
        "import os, mmjax.layers.other as o",
        "from .other import x",
        "from . import other",
        "from ..layers import other",
        "def later():\n    from mmjax.layers import other",
        "try:\n    import mmjax.layers.other\nexcept ImportError: pass",
    ],
)
def test_every_way_to_import_is_followed(copy, statement):
    """From a file outside of the data's own folder."""
    (copy / "layers" / "other.py").write_text("x = 1\n")
    assert copy / "layers" / "other.py" not in sources_of(copy)
    (copy / "layers" / "spectrogram.py").write_text(statement)
    assert copy / "layers" / "other.py" in sources_of(copy)
