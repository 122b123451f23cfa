"""Processes that watch each other over their connections: here each is a Watch in this process."""

import socket
import threading

import pytest

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
def three():
    """Three processes, all of which have heard of each other."""
    processes = [Process() for _ in range(3)]
    port = processes[0].watch.listen(3)
    for number in (1, 2):
        processes[number].watch.connect("localhost", port, f"process {number} on host{number}")
    while len(processes[0].watch._links) < 2:
        threading.Event().wait(0.01)
    yield processes
    for process in processes:
        process.watch.farewell()


def test_all_others_are_told_which_one_died(three):
    three[2].kill()
    assert three[0].told() == three[1].told() == "process 2 on host2"


def test_the_first_one_is_missed_by_all_others(three):
    three[0].kill()
    assert three[1].told() == three[2].told() == "process 0 on localhost"


def test_who_says_farewell_has_not_died(three):
    three[2].watch.farewell()
    three[2].kill()
    three[1].kill()
    assert three[0].told() == "process 1 on host1"


def test_who_is_silent_for_long_has_died(monkeypatch):
    monkeypatch.setattr(peers, "SILENT_SECONDS", 0.3)
    first = Process()
    port = first.watch.listen(2)
    with socket.create_connection(("localhost", port)) as link:
        link.sendall(b"process 1 on a machine without power\n")
        assert first.told() == "process 1 on a machine without power"
    first.watch.farewell()


def test_waiting_for_a_verdict_ends_where_nobody_died(three):
    three[0].watch.wait_for_verdict(0.1)
    peers.wait_for_verdict(0.1)  # of a process that is alone
    assert three[0].watch.lost is None
