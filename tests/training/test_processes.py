"""Two processes of two devices are one process of four."""

import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).with_name("two_processes.py")
ROOT = Path(__file__).parents[2]


def train(tmp_path, processes, devices, split, data):
    """Logits and history by seed, trained by processes that have some devices each."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        meeting = f"localhost:{free.getsockname()[1]}"
    flags = f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
    environment = os.environ | {"XLA_FLAGS": flags, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    output = tmp_path / f"{processes}"
    words = [sys.executable, str(PROGRAM), str(output), str(processes * devices), split, data]
    others = [[meeting, str(processes), str(process)] if processes > 1 else [] for process in range(processes)]
    running = [subprocess.Popen(words + more, env=environment) for more in others]
    assert [process.wait(timeout=300) for process in running] == [0] * processes
    return pickle.loads(output.read_bytes())


def numbers(line):
    return {name: value for name, value in line.items() if name != "phase"}


@pytest.mark.parametrize("split, data", [("batch", "stream"), ("seeds", "resident")])
def test_two_processes_are_one(tmp_path, split, data):
    """Bit for bit where each has its own seeds; where they divide the batch, up to sums in another order."""
    close = {"rtol": 1e-4, "atol": 1e-5} if split == "batch" else {"rtol": 0, "atol": 0}
    alone, together = train(tmp_path, 1, 4, split, data), train(tmp_path, 2, 2, split, data)
    assert len(alone) == len(together) == 3
    for (logits, history), (same, lines) in zip(alone, together, strict=True):
        for name in ("validation", "test"):
            np.testing.assert_allclose(same[name], logits[name], **close)
        for one, other in zip(map(numbers, history), map(numbers, lines), strict=True):
            assert one == pytest.approx(other, rel=close["rtol"], abs=close["atol"])


@pytest.fixture
def start(tmp_path):
    """Starts a launch of two processes, of some epochs; if these are many it waits until one has been kept."""
    folder = tmp_path / "values"
    folder.mkdir()
    rows = (f"{i % 11},{i % 7},{'odd' if i % 2 else 'even'}\n" for i in range(80))
    (folder / "t.csv").write_text("a,b,y\n" + "".join(rows))
    modalities = "".join(f"  {name}: {{kind: table, file: t.csv, columns: [{name}]}}\n" for name in "ab")
    (folder / "task.yaml").write_text(f"modalities:\n{modalities}target: {{file: t.csv, column: y}}\n")
    flags = "--xla_force_host_platform_device_count=1 --xla_backend_optimization_level=0"
    environment = os.environ | {"XLA_FLAGS": flags, "MMJAX_CACHE_DIR": str(tmp_path / "cache")}
    started = []

    def start(epochs):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            meeting = f"--coordinator_address=localhost:{free.getsockname()[1]}"
        words = [sys.executable, "-m", "experiments.launch", f"--tasks={folder}", "--fusions=concat", "--seeds=2"]
        words += [f"--workdir={tmp_path / 'work'}", "--multihost", meeting, "--num_processes=2", f"--epochs={epochs}"]
        running = [
            subprocess.Popen(
                [*words, "--checkpoint_seconds=0.5", f"--process_id={i}"],
                cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True,
            )
            for i in range(2)
        ]  # fmt: skip
        started.extend(running)
        if epochs > 1000:
            while not list(tmp_path.glob("work/checkpoints/*/steps/*/sha256")):
                assert [process.poll() for process in running] == [None, None]
                time.sleep(0.05)
        return running

    yield start
    for process in started:
        process.kill()


def goes_on(start):
    """Whether the same command does."""
    return [process.communicate(timeout=300) and process.returncode for process in start(2)] == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize("killed", [0, 1])
def test_when_one_process_dies_the_others_say_so_and_the_same_command_goes_on(start, killed):
    """The other ends with the code for trying again, in one sentence, long before JAX would abort it."""
    running = start(100_000)
    running[killed].kill()
    _, said = running[1 - killed].communicate(timeout=30)
    assert running[1 - killed].returncode == 75
    assert said.count(f"error: process {killed} on ") == 1 and "has died, and so this one ends" in said
    assert "Traceback" not in said
    running[killed].communicate()
    assert goes_on(start)


@pytest.mark.slow
def test_when_the_first_cannot_write_it_says_so_and_the_other_does_not_wait(start):
    running = start(100_000)
    resource.prlimit(running[0].pid, resource.RLIMIT_FSIZE, (100, 100))  # of a file, as a full disk
    (_, said), (_, other) = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [2, 75], said + other
    assert "error: " in said and "Traceback" not in said + other
    assert "error: process 0 on localhost has ended with an error" in other
    assert goes_on(start)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [[0], [1], [0, 1]], ids=str)
def test_ctrl_c_in_some_processes_ends_all_where_training_goes_on(start, numbers):
    """A terminal sends it to all of its processes."""
    running = start(100_000)
    for number in numbers:
        running[number].send_signal(signal.SIGINT)
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [130 if i in numbers else 0 for i in range(2)], said
    assert "Traceback" not in "".join(said)
    assert goes_on(start)
