"""Ctrl-C while XLA compiles or computes: it is noted, and takes effect when that is done.

An exception that comes up inside XLA's compiler ends the process with a segmentation fault.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

WAITS = "interrupted: ends when the device's present work is done; Ctrl-C once more leaves at once"


class Interrupts:
    """A handler of SIGINT that raises KeyboardInterrupt where that is safe, and notes the signal elsewhere.

    Attributes:
      noted: whether the signal has come.
      told: whether the user has been told that it has.
    """

    def __init__(self, leave: Callable[[], None] | None = None):
        """`leave`: ends the process at once, upon a second signal, and in an import, which may swallow an exception."""
        self.leave = leave
        self.depth = 0
        self.noted = self.told = False

    def __call__(self, number, frame):
        if self.leave and (self.noted or (not self.depth and _importing(frame))):
            self.leave()
        again, self.noted = self.noted, True
        if not self.depth or again:
            raise KeyboardInterrupt
        self.told = True
        os.write(2, f"{WAITS}\n".encode())  # a print may be what was interrupted

    def raise_if_noted(self):
        """Raises KeyboardInterrupt if the signal has come."""
        if self.noted:
            raise KeyboardInterrupt


@contextlib.contextmanager
def deferred() -> Iterator[Interrupts]:
    """A context in which Ctrl-C is noted, and raised as KeyboardInterrupt at the end; one inside another is part of it.

    Outside the main thread, and where SIGINT has a handler of somebody else's, it changes nothing.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread():
        yield Interrupts()
    elif isinstance(handler, Interrupts):
        handler.depth += 1
        try:
            yield handler
        finally:
            handler.depth -= 1
            if not handler.depth:
                handler.raise_if_noted()
    elif handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, Interrupts())
        try:
            with deferred() as interrupts:
                yield interrupts
        finally:
            signal.signal(signal.SIGINT, handler)
    else:
        yield Interrupts()


def interrupted() -> bool:
    """Whether Ctrl-C has come in a context of `deferred`, or was swallowed before it."""
    handler = signal.getsignal(signal.SIGINT)
    return isinstance(handler, Interrupts) and handler.noted


def _importing(frame) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
