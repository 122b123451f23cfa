"""Ctrl-C takes effect where that is safe, and a second one at once."""

import os
import signal
import threading

import pytest

from mmjax.interrupts import Interrupts, deferred, interrupted


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(params=["default", "command"])
def handler(request):
    """SIGINT as Python has it, or as a command has it; what leaves the process is noted."""
    before = signal.getsignal(signal.SIGINT)
    left = []
    handler = signal.default_int_handler if request.param == "default" else Interrupts(lambda: left.append(True))
    signal.signal(signal.SIGINT, handler)
    yield left
    signal.signal(signal.SIGINT, before)


def test_it_waits_for_the_end_of_the_outermost_context(handler, capfd):
    said = []
    with pytest.raises(KeyboardInterrupt):
        with deferred():
            with deferred():
                ctrl_c()
                said.append(interrupted())
            said.append("after the inner")
        said.append("after the outer")
    assert said == [True, "after the inner"]
    assert capfd.readouterr().err.count("interrupted: ends when") == 1


def test_an_exception_does_not_hide_it(handler):
    with pytest.raises(KeyboardInterrupt):
        with deferred():
            ctrl_c()
            raise ValueError("Orbax saw a signal")


def test_outside_it_is_raised_at_once(handler):
    with pytest.raises(KeyboardInterrupt):
        ctrl_c()
        signal.pause()


def test_without_it_nothing_changes(handler):
    before = signal.getsignal(signal.SIGINT)
    with deferred() as interrupts:
        interrupts.raise_if_noted()
    assert signal.getsignal(signal.SIGINT) is before and not interrupted()


def test_a_second_one_of_a_command_leaves():
    left = []
    interrupts = Interrupts(lambda: left.append(True))
    before = signal.signal(signal.SIGINT, interrupts)
    try:
        with pytest.raises(KeyboardInterrupt):
            with deferred():
                ctrl_c()
                assert not left
                ctrl_c()
    finally:
        signal.signal(signal.SIGINT, before)
    assert left == [True] and interrupts.told


def test_other_threads_are_no_concern_of_it():
    done = []

    def work():
        with deferred():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
