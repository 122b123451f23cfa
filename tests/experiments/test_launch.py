"""SIGTERM as a queue sends it: the launcher keeps its place and ends well."""

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


def waiting(*flags):
    launch = subprocess.Popen(
        [sys.executable, "-c", WAITING, *flags], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert launch.stdout.readline() == "begun\n"
    launch.send_signal(signal.SIGTERM)
    assert launch.stdout.readline() == "asked\n"
    return launch


def test_sigterm_ends_a_launch_with_one_sentence_and_exit_code_0():
    launch = waiting()
    _, errors = launch.communicate(timeout=60)
    assert launch.returncode == 0 and errors == SENTENCE + "\n"


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
