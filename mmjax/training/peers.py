"""Processes that watch each other: when one has failed, the others end with a sentence and the code for trying again.

The first listens, the others connect to it. Every process sends a beat every few seconds, says farewell when it ends
well, and says so when it ends with an error of its own. A connection that breaks without a word, or is silent for
long, is that of a process that has died. The first tells all others which process has failed. Without this they would
wait in a collective operation, or be aborted by JAX.

A process that connects gives a token, which only those who run this job know: whoever else finds the port is ignored.
"""

from __future__ import annotations

import contextlib
import ctypes
import hmac
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

from mmjax.errors import InputError

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h
BEAT_SECONDS = 2.0
SILENT_SECONDS = 20.0  # after which a process, or the network to it, is dead
GRACE_SECONDS = 1.0  # in which the first's last word reaches the others
SAME_ERROR_SECONDS = 2.0  # in which an error that all processes have comes up in the slowest of them
LONGEST_NAME = 1000  # bytes that are read of whoever connects, until a line ends
BEAT, FAREWELL, FAILED, LOST = b"+", b".", b"x", b"!"


class Watch:
    """One process's connections to the others: of the first to each of them, of each of them to the first."""

    def __init__(self, end: Callable[[str], None]):
        """`end`: ends this process, told which process has died or failed, as the beginning of a sentence."""
        self.end = end
        self.lost: str | None = None
        self.farewells = threading.Event()
        self.failed = False
        self.token = secrets.token_hex(16)
        self._links: dict[socket.socket, str] = {}
        self._gone: set[socket.socket] = set()
        self._lock = threading.Lock()

    def listen(self, processes: int) -> int:
        """What the first does: takes the others' connections as they come; returns the port."""
        server = socket.create_server(("", 0), backlog=processes)
        _start(self._accept, server, processes - 1)
        return server.getsockname()[1]

    def connect(self, host: str, port: int, token: str, name: str):
        """What the others do: connect to the first, whose `token` it is.

        `name` is what they are called when they have failed. Raises InputError where the network does not let them.
        """
        try:
            link = socket.create_connection((host, port), timeout=SILENT_SECONDS)
            link.sendall(f"{token} {name}\n".encode())
        except OSError as error:
            raise InputError(
                f"--multihost: {name} cannot connect to port {port} of {host} ({error.strerror or error}): let the "
                "machines connect to each other on all ports"
            ) from error
        self._add(link, f"process 0 on {host}")

    def wait_for_all(self, processes: int, seconds: float = SILENT_SECONDS + 2 * BEAT_SECONDS):
        """Returns when all others have connected to this one, the first; raises InputError if they do not."""
        until = time.monotonic() + seconds
        while len(self._links) < processes - 1:
            if time.monotonic() > until:
                raise InputError(
                    f"--multihost: {len(self._links)} of {processes - 1} processes connected to the first on "
                    f"{socket.gethostname()}: let the machines connect to each other on all ports"
                )
            time.sleep(0.01)

    def farewell(self):
        """Tells the others that this process ends well."""
        if not self.farewells.is_set():
            self.farewells.set()
            self._tell(FAREWELL)

    def fail(self):
        """Tells the others that this process ends with an error, unless it has said that it ends well."""
        if not self.farewells.is_set():
            self.failed = True
            self.farewells.set()
            self._tell(FAILED)

    def wait_until_others_left(self, seconds: float = SILENT_SECONDS):
        """Returns when no process is connected any more, after some seconds at the latest."""
        until = time.monotonic() + seconds
        while len(self._gone) < len(self._links) and time.monotonic() < until:
            time.sleep(0.01)

    def wait_for_verdict(self, seconds: float = SILENT_SECONDS + 2 * BEAT_SECONDS):
        """Waits in which this process is ended if another has failed; returns if none has."""
        until = time.monotonic() + seconds
        while time.monotonic() < until or self.lost:
            time.sleep(0.05)

    def _accept(self, server: socket.socket, count: int):
        with server:
            while len(self._links) < count:
                try:
                    link, _ = server.accept()
                except OSError:  # whoever came has gone again, or there are too many open files
                    time.sleep(0.1)
                else:
                    _start(self._greet, link, server, count)

    def _greet(self, link: socket.socket, server: socket.socket, count: int):
        """Adds a connection if it gives the token, and closes it otherwise; after the last, `server` is closed."""
        link.settimeout(SILENT_SECONDS)
        try:
            with link.makefile("rb", buffering=0) as heading:
                token, _, name = heading.readline(LONGEST_NAME).decode().strip().partition(" ")
            known = hmac.compare_digest(token.encode(), self.token.encode())
        except (OSError, ValueError):  # broken or silent; no text
            known = False
        if not known:
            return link.close()
        if self._add(link, name) >= count:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # wakes who waits for the next one

    def _add(self, link: socket.socket, name: str) -> int:
        with self._lock:
            self._links[link] = name
            count = len(self._links)
        _start(self._watch, link, name)
        _start(self._beat, link)
        return count

    def _beat(self, link: socket.socket):
        with contextlib.suppress(OSError):  # whoever watches the link sees that it broke
            while not self.farewells.wait(BEAT_SECONDS):
                link.sendall(BEAT)

    def _watch(self, link: socket.socket, name: str):
        self._hear(link, name)
        with contextlib.suppress(OSError):
            while link.recv(4096):
                pass
        self._gone.add(link)

    def _hear(self, link: socket.socket, name: str):
        """Reads until the process at the other end has said its last word, or died."""
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
            elif told.startswith(FAILED):
                return self._end(f"{name} has ended with an error, which it tells", SAME_ERROR_SECONDS)
            if not received:
                return self._end(f"{name} has died")

    def _end(self, verdict: str, wait: float = 0.0):
        """Ends this process, unless it has its own error, or comes up with one while this waits some seconds."""
        with self._lock:
            if self.farewells.is_set() or self.lost:  # this one ends anyway
                return
            self.lost = verdict
        if not self.farewells.wait(wait):
            self._tell(LOST + verdict.encode() + b"\n")
            self.end(verdict)

    def _tell(self, message: bytes):
        with self._lock:
            for link in self._links:
                with contextlib.suppress(OSError):
                    link.sendall(message)


_watch: Watch | None = None


@contextlib.contextmanager
def watched(watch: Watch, process: int, processes: int, host: str, client) -> Iterator[None]:
    """A context in which this process ends by itself, with the code TRY_AGAIN, when another has died or failed.

    One that leaves the context by an exception has failed, unless it said farewell before.

    Args:
      watch: with `end_process`.
      process, processes: this one's number, and how many there are.
      host: where the first is reached.
      client: of JAX's coordination service, through which the first tells its port and token.
    """
    global _watch
    _watch = watch
    _end_instead_of_aborting(watch)
    try:
        if process == 0:
            client.key_value_set("mmjax/watch", f"{watch.listen(processes)} {watch.token}")
            watch.wait_for_all(processes)
        else:
            port, token = client.blocking_key_value_get("mmjax/watch", int(1000 * SILENT_SECONDS)).split()
            watch.connect(host, int(port), token, f"process {process} on {socket.gethostname()}")
        yield
    except BaseException:
        watch.fail()
        raise
    watch.farewell()


def wait_for_verdict(seconds: float = GRACE_SECONDS):
    """What a failure of an operation of all processes waits for: if it came of another's death, this one ends."""
    if _watch is not None:
        _watch.wait_for_verdict(seconds)


def farewell():
    """What a process says once all know that they end now, whatever it raises after that."""
    if _watch is not None:
        _watch.farewell()


def end_process(verdict: str):
    """Ends this process with the code TRY_AGAIN and a sentence that begins with the verdict."""
    sentence = f"error: {verdict}, and so this one ends; give all processes the same command again, it goes on"
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
