"""One launch at a time for each cell of a workdir, whatever machine it runs on.

A lock is a JSON file that tells its owner, who touches it every few seconds. The lock of an owner that is dead is taken
over: on the owner's machine its process tells; from elsewhere it is dead when it has not touched the file for long.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from mmjax.disk import writing

BEAT_SECONDS = 10.0
STALE_SECONDS = 120.0  # of a file server's cache of times, which may be a minute old, and some beats


@dataclasses.dataclass(frozen=True)
class Owner:
    """Who holds a lock.

    Attributes:
      host: the machine's name, for people.
      machine: where the process's number means something: one boot of one machine, or a container on it.
      pid: the process's number.
      started: when the process started, as the machine counts; another process may have its number later.
      token: random, of this one holding.
    """

    host: str
    machine: str
    pid: int
    started: str
    token: str

    def __str__(self):
        return f"process {self.pid} on {self.host}"


class Held(Exception):
    """The lock has a living owner, who is told."""


class Lost(Exception):
    """The lock was taken over by another, while its owner was suspended, say."""


class Lock:
    """A lock that was taken."""

    def __init__(self, path: Path, owner: Owner):
        self.path, self.owner = path, owner

    def check(self):
        """Raises Lost if somebody has taken the lock over."""
        owner = _read(self.path)
        if owner != self.owner:
            raise Lost(f"the lock {self.path} was taken over by {owner or 'another launch, which has ended'}")

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """A context in which nobody can take the lock over: for writing what only its owner may write.

        Raises:
          Lost: if somebody has.
        """
        with _guard(self.path.parent):
            self.check()
            yield


class Locks:
    """The locks in a folder, which is there as long as it has any."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic):
        self.folder = folder
        self._clock = clock
        self._beats: dict[str, tuple[object, float]] = {}  # the last that was seen of locks, and since when

    @contextlib.contextmanager
    def take(self, name: str) -> Iterator[Lock]:
        """A context in which the lock is held.

        Raises:
          Held: if its owner is another and lives.
        """
        path = self.folder / f"{name}.json"
        lock = Lock(path, _this_process())
        with _guard(self.folder):
            if path.exists():
                owner = _read(path)
                if self._lives(path, owner):
                    raise Held(f"held by {owner}")
                logging.warning("the lock %s of %s, which has ended, is taken over", path, owner or "a process")
            with writing(path):  # half of a lock is that of a process which has ended
                path.write_text(json.dumps(dataclasses.asdict(lock.owner), indent=2) + "\n")
        released = threading.Event()
        beat = threading.Thread(target=_beat, args=(lock, released), daemon=True)
        beat.start()
        try:
            yield lock
        finally:
            released.set()
            beat.join()
            with _guard(self.folder):
                if _read(path) == lock.owner:
                    path.unlink()

    def sweep(self):
        """Removes what dead owners left."""
        if not self.folder.exists():
            return
        with _guard(self.folder):
            for path in self.folder.glob("*.json"):
                if not self._lives(path, _read(path)):
                    path.unlink()

    def _lives(self, path: Path, owner: Owner | None) -> bool:
        """Whether the owner does; under the guard, a file that cannot be read is that of a process that was killed."""
        if owner is None:
            return False
        if owner.machine == _machine():
            return _start_of(owner.pid) == owner.started
        # Clocks of two machines differ: what counts is how long this one has seen no change.
        beat = (owner, path.stat().st_mtime_ns)
        last, since = self._beats.get(path.name, (None, 0.0))
        if beat != last:
            self._beats[path.name] = beat, self._clock()
            return True
        return self._clock() - since < STALE_SECONDS


@contextlib.contextmanager
def _guard(folder: Path) -> Iterator[None]:
    """Holds everybody else off the folder's locks, for a moment; the folder goes when no lock is left in it."""
    path = folder / "guard"
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context(open(path, "a"))
                fcntl.flock(file, fcntl.LOCK_EX)
                current = os.path.samestat(os.fstat(file.fileno()), os.stat(path))
            except FileNotFoundError:
                current = False
            if not current:
                continue  # whoever held it removed it
            try:
                yield
            finally:
                if [each.name for each in folder.iterdir()] == [path.name]:
                    path.unlink()
                    with contextlib.suppress(OSError):  # somebody is about to hold the next guard
                        folder.rmdir()
            return


def _beat(lock: Lock, released: threading.Event):
    while not released.wait(BEAT_SECONDS):
        with contextlib.suppress(OSError):  # the next beat may reach the file again
            if _read(lock.path) != lock.owner:
                return
            os.utime(lock.path)


def _read(path: Path) -> Owner | None:
    """The owner, or None where there is none or the file is no lock's."""
    try:
        return Owner(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _this_process() -> Owner:
    pid = os.getpid()
    return Owner(socket.gethostname(), _machine(), pid, _start_of(pid), uuid.uuid4().hex)


@functools.cache
def _machine() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + " " + os.readlink("/proc/self/ns/pid")
    except OSError:  # no Linux
        return socket.gethostname()


def _start_of(pid: int) -> str | None:
    """When a process started, in ticks since the machine did; "" where that is not told, None if it has ended."""
    with contextlib.suppress(OSError):
        # See proc(5): after the name, in parentheses, the fields from the third on; the 22nd is the start.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""
