"""A lock has one owner, whoever races for it, and no dead one for long."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from experiments import locks as module
from experiments.locks import STALE_SECONDS, Held, Locks, Lost

ROOT = Path(module.__file__).parents[1]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "locks"


def python(code, *arguments):
    """Starts a program that has `Locks`, and neither JAX nor anything else that takes long."""
    program = f"import os, signal, sys, time\nfrom pathlib import Path\nfrom experiments.locks import *\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def left_by_a_dead_process(folder, name):
    killed = python(f"with Locks(Path(sys.argv[1])).take({name!r}): os.kill(os.getpid(), signal.SIGKILL)", folder)
    assert killed.wait() == -signal.SIGKILL
    assert (folder / f"{name}.json").exists()


def change_owner(folder, name, **changes):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_lock_is_held_by_one_and_free_again(folder):
    locks = Locks(folder)
    with locks.take("cell") as lock:
        with pytest.raises(Held, match=f"held by process {os.getpid()} on "):
            with Locks(folder).take("cell"):
                pass
        with locks.take("another"), lock.kept():
            pass
    with locks.take("cell"):
        pass
    assert not folder.exists(), "nothing is left of locks that are free"


def test_a_lock_is_free_after_an_exception(folder):
    with pytest.raises(KeyboardInterrupt):
        with Locks(folder).take("cell"):
            raise KeyboardInterrupt
    assert not folder.exists()


RACE = """
folder, logs = map(Path, sys.argv[1:])
for i in range(100):
    try:
        with Locks(folder).take(f"cell{i % 3}"), open(logs / f"{i % 3}", "a") as file:
            file.write("in\\n")
            file.flush()
            time.sleep(0.001)
            file.write("out\\n")
    except Held:
        pass
"""


def test_processes_that_race_are_never_inside_together(folder, tmp_path):
    racers = [python(RACE, folder, tmp_path) for _ in range(3)]
    for racer in racers:
        assert racer.wait(60) == 0, racer.stderr.read()
    for log in "012":
        lines = (tmp_path / log).read_text().split()
        assert lines and lines == ["in", "out"] * (len(lines) // 2)
    assert not folder.exists()


def test_a_dead_owners_lock_is_taken_over_with_a_warning(folder, caplog):
    left_by_a_dead_process(folder, "cell")
    with Locks(folder).take("cell"):
        assert "which has ended, is taken over" in caplog.text
    assert not folder.exists()


def test_of_those_that_see_a_dead_owner_together_one_wins(folder):
    left_by_a_dead_process(folder, "cell")
    wins, start, hold = [], threading.Barrier(8), threading.Barrier(8)

    def race():
        locks = Locks(folder)
        start.wait()
        with contextlib.suppress(Held), locks.take("cell"):
            wins.append(threading.get_ident())
            hold.wait()
            return
        hold.wait()

    racers = [threading.Thread(target=race) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(wins) == 1


def test_a_number_that_another_process_has_now_is_no_life_sign(folder):
    left_by_a_dead_process(folder, "cell")
    change_owner(folder, "cell", pid=os.getpid(), started="0")
    with Locks(folder).take("cell"):
        pass


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_lock_whose_writer_was_killed_is_taken_over(folder, content):
    folder.mkdir()
    (folder / "cell.json").write_text(content)
    with Locks(folder).take("cell"):
        pass


def test_an_owner_on_another_machine_lives_as_long_as_its_lock_is_touched(folder):
    left_by_a_dead_process(folder, "cell")
    change_owner(folder, "cell", machine="another")
    now = 1e6
    locks = Locks(folder, lambda: now)

    def is_held():
        try:
            with locks.take("cell"):
                return False
        except Held:
            return True

    assert is_held(), "it may just have been touched"
    now += STALE_SECONDS - 1
    assert is_held()
    os.utime(folder / "cell.json", ns=(1, 1))  # whatever its clock says
    now += 2
    assert is_held()
    now += STALE_SECONDS
    assert not is_held()


def test_an_owner_touches_its_lock(folder, monkeypatch):
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.001)
    touched = threading.Event()
    monkeypatch.setattr(module.os, "utime", lambda path: touched.set())
    with Locks(folder).take("cell"):
        assert touched.wait(60)


def test_an_owner_whose_lock_was_taken_over_is_told_and_leaves_it_alone(folder):
    with Locks(folder).take("cell") as lock:
        other = dataclasses.replace(lock.owner, host="elsewhere", machine="another", token="other")
        change_owner(folder, "cell", **dataclasses.asdict(other))
        with pytest.raises(Lost, match="was taken over by process .* on elsewhere"):
            with lock.kept():
                pytest.fail("what only the owner may write is not written")
    assert json.loads((folder / "cell.json").read_text()) == dataclasses.asdict(other)


def test_sweeping_leaves_the_living(folder):
    locks = Locks(folder)
    left_by_a_dead_process(folder, "dead")
    with locks.take("living"):
        locks.sweep()
        assert sorted(path.name for path in folder.iterdir()) == ["guard", "living.json"]
    locks.sweep()
    assert not folder.exists()
