"""`python -m experiments.data`: what it prints, and its exit codes."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from make_folders import TEN, write_good

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return write_good(tmp_path_factory.mktemp("folders") / "good")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Runs the command, as a process of its own."""
    cache = tmp_path_factory.mktemp("cache")

    def run(*arguments):
        command = [sys.executable, "-m", "experiments.data", *map(str, arguments)]
        environment = os.environ | {"MMJAX_CACHE_DIR": str(cache), "COLUMNS": "200"}
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)

    return run


def test_check_prints_what_was_understood(data, good):
    done = data("check", good)
    assert (done.returncode, done.stderr) == (0, "")
    said = re.sub(r"\s+", " ", done.stdout)
    for part in ("clinic: 34 train, 12 validation, 14 test", "10 x 12 x 1", "2000 Hz", "ill", "none in two splits"):
        assert part in said


def test_names_that_look_like_markup_are_shown_as_they_stand(data, tmp_path):
    rows = "".join(f"{place},{place % 7},{('[/INST]', '[other]', '[red]x')[place % 3]}\n" for place in range(60))
    (tmp_path / "t.csv").write_text(f"[a],[/b],y\n{rows}")
    (tmp_path / "task.yaml").write_text(
        "modalities:\n  one: {kind: table, file: t.csv, columns: ['[a]']}\n"
        "  two: {kind: table, file: t.csv, columns: ['[/b]']}\ntarget: {file: t.csv, column: y}\n"
    )
    done = data("check", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in ("[/INST]", "[other]", "[red]x"))
    (tmp_path / "t.csv").write_text(f"[a],[/b],y\n{rows}5,5,\n")
    done = data("check", tmp_path)
    assert done.returncode == 2 and "line 62, column 'y': the target is missing" in done.stderr


def test_check_names_what_is_broken(data, tmp_path):
    folder = write_good(tmp_path / "broken")
    damage, told = TEN["broken_image"]
    damage(folder)
    TEN["missing_label"][0](folder)
    done = data("check", folder)
    assert done.returncode == 2 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2 and told in lines[0] and "the target is missing" in lines[1]
    assert all(line.startswith("error: ") and "Traceback" not in line for line in lines)


def test_check_takes_a_task_by_name(data):
    done = data("check", "synthetic/xor")
    assert done.returncode == 0 and "synthetic/xor" in done.stdout


def test_report(data, good):
    done = data("report", good)
    assert done.returncode == 0 and "cleaning report" in done.stdout and "constant" in done.stdout


def test_init_writes_a_draft_once(data, tmp_path):
    folder = write_good(tmp_path / "mine")
    (folder / "task.yaml").unlink()
    assert data("init", folder).returncode == 0 and (folder / "task.yaml").is_file()
    refused = data("init", folder)
    assert refused.returncode == 2 and "--force" in refused.stderr
    assert data("init", "--force", folder).returncode == 0


def test_init_says_what_is_open_and_check_says_the_same(data, tmp_path):
    rows = "".join(f"{place},{'ab'[place % 2]},{('None', 'Severe')[place % 2]}\n" for place in range(40))
    (tmp_path / "t.csv").write_text(f"age,ward,label\n{rows}")
    (tmp_path / "note.csv").write_text("text\n" + "".join(f"some words of day {place}\n" for place in range(40)))
    done = data("init", tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and "`classes: ['None', 'Severe']`" in done.stdout
    told = next(line for line in done.stdout.splitlines() if line.startswith("open: "))
    assert told.replace("open: ", "# Open: ") in (tmp_path / "task.yaml").read_text().splitlines()
    checked = data("check", tmp_path)
    assert checked.returncode == 2 and told.replace("open: ", "error: ") == checked.stderr.strip()


@pytest.mark.parametrize("arguments", [(), ("check",), ("chekc", "x"), ("check", "a", "b")])
def test_what_is_not_accepted(data, arguments):
    done = data(*arguments)
    assert done.returncode == 2 and "give check, init, report, and a folder or task" in done.stderr


REFUSED = """\
import pathlib, runpy, sys

before = pathlib.Path.read_bytes

def refuse(path):
    if path.name == "visits.csv":
        raise OSError({code}, {words!r})
    return before(path)

pathlib.Path.read_bytes = refuse
runpy.run_module("experiments.data", run_name="__main__")
"""


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_a_file_that_the_machine_refuses_is_one_sentence_that_says_what_to_do(good, tmp_path, code):
    """Root may read anything, so the refusal is put where the file is read."""
    program = REFUSED.format(code=code, words=os.strerror(code))
    line = [sys.executable, "-c", program, "check", str(good)]
    environment = os.environ | {"MMJAX_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    remedy = {errno.EACCES: "change its permissions", errno.EIO: "look at its health"}[code]
    assert f"{good / 'visits.csv'} could not be used: {os.strerror(code).lower()}; " in done.stderr
    assert remedy in done.stderr and "truncated" not in done.stderr
