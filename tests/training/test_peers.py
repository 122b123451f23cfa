"""Processes that watch each other over their connections: here each is a Watch in this process."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mmjax.errors import InputError
from mmjax.training import peers
from mmjax.training.peers import Watch


class Process:
    """A Watch whose end is noted."""

    def __init__(self):
        self.died, self.ended = None, threading.Event()
        self.watch = Watch(self._end)

    def _end(self, name):
        self.died = name
        self.ended.set()

    def told(self):
        assert self.ended.wait(60)
        return self.died

    def kill(self):
        """What the system does with the connections of a process that was killed, which says no word more."""
        self.watch.farewells.set()
        for link in list(self.watch._links):
            link.shutdown(socket.SHUT_RDWR)
            link.close()


@pytest.fixture
def three(monkeypatch):
    """Three processes, all of which have heard of each other."""
    monkeypatch.setattr(peers, "SAME_ERROR_SECONDS", 0.2)
    processes = [Process() for _ in range(3)]
    port = processes[0].watch.listen(3)
    for number in (1, 2):
        processes[number].watch.connect(
            "localhost", port, processes[0].watch.token, f"process {number} on host{number}"
        )
    processes[0].watch.wait_for_all(3)
    yield processes
    for process in processes:
        process.watch.farewell()


def test_all_others_are_told_which_one_died(three):
    three[2].kill()
    assert three[0].told() == three[1].told() == "process 2 on host2 has died"


def test_the_first_one_is_missed_by_all_others(three):
    three[0].kill()
    assert three[1].told() == three[2].told() == "process 0 on localhost has died"


def test_who_says_farewell_has_not_died(three):
    three[2].watch.farewell()
    three[2].kill()
    three[1].kill()
    assert three[0].told() == "process 1 on host1 has died"


def test_who_is_silent_for_long_has_died(monkeypatch):
    monkeypatch.setattr(peers, "SILENT_SECONDS", 0.3)
    first = Process()
    port = first.watch.listen(2)
    with socket.create_connection(("localhost", port)) as link:
        link.sendall(f"{first.watch.token} process 1 on a machine without power\n".encode())
        assert first.told() == "process 1 on a machine without power has died"
    first.watch.farewell()


def test_waiting_for_a_verdict_ends_where_nobody_died(three):
    three[0].watch.wait_for_verdict(0.1)
    peers.wait_for_verdict(0.1)  # of a process that is alone
    assert three[0].watch.lost is None


@pytest.mark.parametrize("failed, name", [(0, "process 0 on localhost"), (2, "process 2 on host2")])
def test_all_others_are_told_which_one_failed(three, failed, name):
    three[failed].watch.fail()
    others = [process for process in three if process is not three[failed]]
    assert {other.told() for other in others} == {f"{name} has ended with an error, which it tells"}


def test_who_has_an_error_too_ends_with_its_own(three, monkeypatch):
    monkeypatch.setattr(peers, "SAME_ERROR_SECONDS", 60)
    three[0].watch.fail()
    while not (three[1].watch.lost and three[2].watch.lost):
        threading.Event().wait(0.01)
    for process in three[1:]:
        process.watch.fail()
    assert not any(process.ended.wait(0.1) for process in three)


def test_an_error_after_the_farewell_is_nobody_elses(three):
    three[0].watch.farewell()
    three[0].watch.fail()
    three[0].kill()
    assert not any(process.ended.wait(0.4) for process in three[1:])


def test_strangers_are_ignored(monkeypatch):
    """Whoever finds the port: one who only looks, one who says something else, one who says nothing."""
    monkeypatch.setattr(peers, "SAME_ERROR_SECONDS", 0.2)
    first, other = Process(), Process()
    port = first.watch.listen(2)
    socket.create_connection(("localhost", port)).close()
    silent = socket.create_connection(("localhost", port))
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe\n", b"process 1 on host1\n", b" process 1\n", b"x" * 100_000):
        with socket.create_connection(("localhost", port), timeout=60) as stranger, contextlib.suppress(OSError):
            stranger.sendall(said)
            assert stranger.recv(1) == b""
    with pytest.raises(InputError, match="0 of 1 processes connected"):
        first.watch.wait_for_all(2, seconds=0.1)
    other.watch.connect("localhost", port, first.watch.token, "process 1 on host1")
    first.watch.wait_for_all(2)
    silent.close()
    other.kill()
    assert first.told() == "process 1 on host1 has died"
    first.watch.farewell()


def test_nobody_connects_once_all_are_there(three):
    port = three[1].watch._links.copy().popitem()[0].getpeername()[1]
    for _ in range(100):
        try:
            socket.create_connection(("localhost", port)).close()
        except ConnectionRefusedError:
            return
        threading.Event().wait(0.05)
    raise AssertionError("the first still listens")


def test_who_cannot_connect_says_where_to():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match=f"process 1 cannot connect to port {port} of localhost"):
        Process().watch.connect("localhost", port, "token", "process 1")


SLOW = pytest.mark.slow


@pytest.mark.parametrize("fault, codes", [
    ("first", [2, 75]),
    pytest.param("second", [75, 2], marks=SLOW), pytest.param("all", [2, 2], marks=SLOW),
    pytest.param("disk", [2, 75], marks=SLOW), pytest.param("program", [75, 1], marks=SLOW),
    pytest.param("interrupt", [75, 130], marks=SLOW), pytest.param("none", [0, 0], marks=SLOW),
])  # fmt: skip
def test_who_fails_ends_with_its_own_error_and_the_others_name_it(fault, codes):
    """Of two real processes, long before JAX would end them."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        meeting = f"localhost:{free.getsockname()[1]}"
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root), "XLA_FLAGS": "--xla_force_host_platform_device_count=1"}
    program = Path(__file__).with_name("failing_processes.py")
    words = [sys.executable, str(program), fault, meeting]
    running = [
        subprocess.Popen([*words, str(i)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for i in range(2)
    ]
    try:
        ended = [process.communicate(timeout=120) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == codes, ended
    for number, (_, said) in enumerate(ended):
        assert " @ " not in said, "JAX aborted it"
        if codes[number] == 75:
            assert f"error: process {1 - number} on " in said
            assert "has ended with an error, which it tells, and so this one ends" in said
        assert ("the fault of process" in said) == (codes[number] == 2), said
        assert ("Traceback" in said) == (codes[number] == 1), said
