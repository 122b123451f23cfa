"""SIGTERM as a queue sends it: the launcher keeps its place and ends well."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import audit, kills

ROOT = Path(kills.__file__).parents[1]
SENTENCE = "stopped by SIGTERM; the same command goes on from here"

# The launcher with a grid that waits until it is asked to stop, and then so long that only a second signal ends it.
WAITING = """
import sys, time
from benchmarks import command
from experiments import launch, run_grid
from experiments.overrides import join_overrides
from mmjax.training.results import Interrupted

def wait(request, stop):
    print("begun", flush=True)
    while not stop():
        time.sleep(0.01)
    print("asked", flush=True)
    if request.seeds == 99:
        time.sleep(600)
    raise Interrupted

run_grid.run_grid = wait
command.run(launch.main, join_overrides)
"""


def start(*words, **environment):
    """A Python with its pipes, which takes SIGINT as in a terminal, even where this one ignores it."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)


def waiting(*flags):
    launch = start("-c", WAITING, *flags)
    assert launch.stdout.readline() == "begun\n"
    launch.send_signal(signal.SIGTERM)
    assert launch.stdout.readline() == "asked\n"
    return launch


def test_sigterm_ends_a_launch_with_one_sentence_and_exit_code_0():
    launch = waiting()
    _, errors = launch.communicate(timeout=60)
    assert launch.returncode == 0 and errors == SENTENCE + "\n"


def test_ctrl_c_ends_a_launch_with_one_word_and_exit_code_130():
    launch = start("-c", WAITING)
    assert launch.stdout.readline() == "begun\n"
    launch.send_signal(signal.SIGINT)
    _, errors = launch.communicate(timeout=60)
    assert launch.returncode == 130 and errors == "interrupted\n"


@pytest.mark.parametrize("number, code, said", [(signal.SIGTERM, 0, SENTENCE), (signal.SIGINT, 130, "interrupted")])
def test_a_signal_in_the_first_moments_is_taken_too(tmp_path, number, code, said):
    """In the import of what a launch needs first, here one that takes for ever."""
    (tmp_path / "absl").mkdir()
    (tmp_path / "absl" / "__init__.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(600)\n")
    launch = start("-m", "experiments.launch", PYTHONPATH=f"{ROOT}:{tmp_path}")
    assert launch.stdout.readline() == "importing\n"
    launch.send_signal(number)
    _, errors = launch.communicate(timeout=60)
    assert launch.returncode == code and errors == f"{said}\n"


@pytest.mark.parametrize("words", [("experiments.launch",), ("mmjax", "launch")], ids=" ".join)
def test_ctrl_c_before_a_launch_can_take_it_is_one_word_too(tmp_path, words):
    """In the import of this project itself, here of a module of its name that takes for ever."""
    slow = tmp_path / ("benchmarks/__init__.py" if words[0] == "experiments.launch" else "difflib.py")
    slow.parent.mkdir(exist_ok=True)
    slow.write_text("import time\nprint('importing', flush=True)\ntime.sleep(600)\n")
    launch = start("-P", "-m", *words, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert launch.stdout.readline() == "importing\n"
    launch.send_signal(signal.SIGINT)
    _, errors = launch.communicate(timeout=60)
    assert launch.returncode == 130 and errors == "interrupted\n"


@pytest.mark.slow
@pytest.mark.parametrize("until", ["compiling", "training"])
def test_ctrl_c_keeps_a_launch_s_place(tmp_path, until):
    """It ends when the compiler or the device is through, and the same command goes on to the same bits."""
    kills.Launch(tmp_path / "undisturbed", tmp_path / "undisturbed.log").finish()
    launch = kills.Launch(tmp_path / "stopped", tmp_path / "first.log")
    pattern = {"compiling": "checkpoints/*/seeds.json", "training": "checkpoints/*/steps/*/sha256"}[until]
    while not list((tmp_path / "stopped").glob(pattern)):
        assert launch.process.poll() is None, launch.log.read_text()
        time.sleep(0.05)
    assert launch.end(signal.SIGINT) is None
    assert launch.process.returncode == 130 and launch.log.read_text().splitlines()[-1].startswith("interrupted")
    assert not (tmp_path / "stopped" / "locks").exists()
    kills.Launch(tmp_path / "stopped", tmp_path / "last.log").finish()
    assert audit.corrupt(tmp_path / "stopped", tmp_path / "undisturbed") == []


def test_a_second_sigterm_ends_it_at_once():
    launch = waiting("--seeds=99")
    launch.send_signal(signal.SIGTERM)
    assert launch.wait(timeout=60) == -signal.SIGTERM


@pytest.mark.slow
def test_a_launch_goes_on_from_sigterm_to_the_same_bits(tmp_path):
    kills.Launch(tmp_path / "undisturbed", tmp_path / "undisturbed.log").finish()
    for time_ in ("first", "second"):
        launch = kills.Launch(tmp_path / "stopped", tmp_path / f"{time_}.log")
        while not launch.begun() or not list((tmp_path / "stopped").glob("checkpoints/*/steps/*/sha256")):
            assert launch.process.poll() is None, launch.log.read_text()
            time.sleep(0.05)
        launch.process.send_signal(signal.SIGTERM)
        launch.finish()
        assert launch.log.read_text().splitlines()[-1] == SENTENCE
        assert not (tmp_path / "stopped" / "locks").exists()
    kills.Launch(tmp_path / "stopped", tmp_path / "last.log").finish()
    assert audit.corrupt(tmp_path / "stopped", tmp_path / "undisturbed") == []
