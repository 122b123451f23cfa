"""What signals do to a command: Ctrl-C ends it with 130, and SIGTERM a launch with 0, whatever it is at.

Imports nothing that takes a while: a signal may come in the first tenths of a second.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

from mmjax.interrupts import Interrupts

INTERRUPTED = 130  # as a shell counts a program that Ctrl-C ended
STOPPED = "stopped by SIGTERM; the same command goes on from here"
SHOW_CURSOR = "\x1b[?25h"  # which progress bars hide


def take_interrupts() -> Interrupts:
    """Handles Ctrl-C from now on; a second one leaves at once. What ignores SIGINT, as after `nohup`, still does."""
    handler = signal.getsignal(signal.SIGINT)
    if not isinstance(handler, Interrupts):
        interrupts = Interrupts(lambda: _leave("interrupted", INTERRUPTED))
        if handler is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
            return interrupts
        handler = interrupts
        signal.signal(signal.SIGINT, handler)
    return handler


def stop_at_once_on_sigterm():
    """Takes SIGTERM, before anything was begun, as a request to end well: exit code 0."""
    signal.signal(signal.SIGTERM, lambda number, frame: _leave(STOPPED, 0))


def stop_on_sigterm() -> Callable[[], bool]:
    """Takes SIGTERM as a request to stop from now on; the function says whether it has come. A second one kills."""
    asked = threading.Event()

    def take(number, frame):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        asked.set()

    signal.signal(signal.SIGTERM, take)
    return asked.is_set


def _leave(sentence: str, code: int):
    cursor = SHOW_CURSOR if sys.stderr is not None and sys.stderr.isatty() else ""
    os.write(2, f"{cursor}{sentence}\n".encode())  # the handler may have come in the middle of a print
    os._exit(code)
