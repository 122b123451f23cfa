"""Processes that watch each other: when one has died, the others end with a sentence and the code for trying again.

The first listens, the others connect to it. Every process sends a beat every few seconds, and says farewell when it
ends well. A connection that breaks without a farewell, or is silent for long, is that of a process that has died: the
first tells all others which. Without this they would wait in a collective operation, or be aborted by JAX.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h
BEAT_SECONDS = 2.0
SILENT_SECONDS = 20.0  # after which a process, or the network to it, is dead
GRACE_SECONDS = 1.0  # in which the first's last word reaches the others
BEAT, FAREWELL, LOST = b"+", b".", b"!"


class Watch:
    """One process's connections to the others: of the first to each of them, of each of them to the first."""

    def __init__(self, end: Callable[[str], None]):
        """`end`: ends this process, told who has died."""
        self.end = end
        self.lost: str | None = None
        self.farewells = threading.Event()
        self._links: dict[socket.socket, str] = {}
        self._lock = threading.Lock()

    def listen(self, processes: int) -> int:
        """What the first does: takes the others' connections as they come; returns the port."""
        server = socket.create_server(("", 0), backlog=processes)
        _start(self._accept, server, processes - 1)
        return server.getsockname()[1]

    def connect(self, host: str, port: int, name: str):
        """What the others do: connect to the first; `name` is what they are called when they have died."""
        link = socket.create_connection((host, port), timeout=SILENT_SECONDS)
        link.sendall(name.encode() + b"\n")
        self._add(link, f"process 0 on {host}")

    def farewell(self):
        """Tells the others that this process ends well."""
        self.farewells.set()
        self._tell(FAREWELL)

    def wait_for_verdict(self, seconds: float = SILENT_SECONDS + 2 * BEAT_SECONDS):
        """Waits in which this process is ended if another has died; returns if none has."""
        until = time.monotonic() + seconds
        while time.monotonic() < until or self.lost:
            time.sleep(0.05)

    def _accept(self, server: socket.socket, count: int):
        for _ in range(count):
            link, _ = server.accept()
            link.settimeout(SILENT_SECONDS)
            with link.makefile("rb", buffering=0) as heading:
                name = heading.readline().decode().strip()
            self._add(link, name)
        server.close()

    def _add(self, link: socket.socket, name: str):
        with self._lock:
            self._links[link] = name
        _start(self._watch, link, name)
        _start(self._beat, link)

    def _beat(self, link: socket.socket):
        with contextlib.suppress(OSError):  # whoever watches the link sees that it broke
            while not self.farewells.wait(BEAT_SECONDS):
                link.sendall(BEAT)

    def _watch(self, link: socket.socket, name: str):
        told = b""
        while True:
            try:
                received = link.recv(4096)
            except OSError:
                received = b""
            told = (told + received).lstrip(BEAT)
            if told.startswith(LOST):
                if told.endswith(b"\n"):
                    return self._end(told[len(LOST) :].decode().strip())
            elif told.startswith(FAREWELL):
                return
            if not received:
                return self._end(name)

    def _end(self, name: str):
        with self._lock:
            if self.farewells.is_set() or self.lost:  # this one ends anyway
                return
            self.lost = name
        self._tell(LOST + name.encode() + b"\n")
        self.end(name)

    def _tell(self, message: bytes):
        with self._lock:
            for link in self._links:
                with contextlib.suppress(OSError):
                    link.sendall(message)


_watch: Watch | None = None


@contextlib.contextmanager
def watched(process: int, processes: int, host: str, client) -> Iterator[Watch]:
    """A context in which this process ends by itself, with the code TRY_AGAIN, when another has died.

    Args:
      process, processes: this one's number, and how many there are.
      host: where the first is reached.
      client: of JAX's coordination service, through which the first tells its port.
    """
    global _watch
    _watch = watch = Watch(_end_process)
    if process == 0:
        client.key_value_set("mmjax/watch", str(watch.listen(processes)))
    else:
        port = int(client.blocking_key_value_get("mmjax/watch", int(1000 * SILENT_SECONDS)))
        watch.connect(host, port, f"process {process} on {socket.gethostname()}")
    _end_instead_of_aborting(watch)
    yield watch
    watch.farewell()


def wait_for_verdict(seconds: float = GRACE_SECONDS):
    """What a failure of an operation of all processes waits for: if it came of another's death, this one ends."""
    if _watch is not None:
        _watch.wait_for_verdict(seconds)


def _end_process(name: str):
    sentence = f"error: {name} has died, and so this one ends; give all processes the same command again, it goes on"
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    told = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # JAX says the same in thirty lines
    os.write(told, f"{sentence}\n".encode())
    time.sleep(GRACE_SECONDS)
    os._exit(TRY_AGAIN)


def _end_instead_of_aborting(watch: Watch):
    """JAX aborts a process whose coordination service has gone with the first; there is no exception to catch."""

    def handle(number: int):
        watch.wait_for_verdict(GRACE_SECONDS)  # whose thread ends this process; else it is aborted for another reason

    global _handler  # lives as long as the process
    _handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(handle)
    ctypes.CDLL(None).signal(int(signal.SIGABRT), _handler)


def _start(target: Callable, *arguments):
    threading.Thread(target=target, args=arguments, daemon=True).start()
