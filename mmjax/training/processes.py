"""Several processes that train together: how they find each other, and how they agree.

Every process runs the same program on the same data. Each has some of the devices; the first decides and writes.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import hashlib
import json
import signal
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax._src import distributed
from jax.experimental import multihost_utils

from mmjax.errors import InputError
from mmjax.training.peers import SILENT_SECONDS, Watch, end_process, watched


@contextlib.contextmanager
def joined(coordinator: str | None = None, processes: int | None = None, process: int | None = None) -> Iterator[None]:
    """A context in which the processes are together; if one dies or fails in it, the others end (see `peers`).

    Args, Raises: as `join_processes`.
    """
    join_processes(coordinator, processes, process)
    state = distributed.global_state
    host = state.coordinator_address.rpartition(":")[0].strip("[]")
    watch = Watch(end_process)
    try:
        with watched(watch, state.process_id, state.num_processes, host, state.client):
            try:
                yield
            except (ValueError, RuntimeError) as error:
                if not isinstance(error, InputError):
                    watch.wait_for_verdict()  # an operation of all of them may have failed because one died
                raise
    except BaseException:
        if watch.failed:
            _end_without_the_others(state, watch)
        raise


def join_processes(coordinator: str | None = None, processes: int | None = None, process: int | None = None):
    """Waits until all processes are there; called before anything else of JAX.

    Args:
      coordinator: host:port of the first process; None under Slurm, Open MPI and on cloud pods, where JAX finds out.
      processes: how many there are.
      process: this one's number, from 0.

    Raises:
      InputError: where they could not meet.
    """
    jax.config.update("jax_cpu_collectives_implementation", "gloo")  # of no consequence but on CPUs
    jax.config.update("jax_enable_preemption_service", False)  # it would take SIGTERM, which the launcher answers
    try:
        jax.distributed.initialize(coordinator, processes, process, shutdown_timeout_seconds=int(SILENT_SECONDS))
    except (ValueError, RuntimeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"--multihost: the processes did not meet ({reason}): give --coordinator_address=<host:port of the first>, "
            "--num_processes and --process_id where neither Slurm nor a cloud pod tells them"
        ) from error


def is_first() -> bool:
    """Whether this is the process that decides and writes; the only one, if there is one."""
    return jax.process_index() == 0


def from_first(value: Any) -> Any:
    """What the first process gave, which JSON takes; all processes must ask at the same point."""
    if jax.process_count() == 1:
        return value
    text = np.frombuffer(json.dumps(value).encode() if is_first() else b"", np.uint8)
    size = int(multihost_utils.broadcast_one_to_all(np.int32(len(text))))
    padded = np.zeros(size, np.uint8)
    padded[: len(text)] = text
    return json.loads(np.asarray(multihost_utils.broadcast_one_to_all(padded)).astype(np.uint8).tobytes())


def any_process(said: bool) -> bool:
    """Whether any process says so; all must ask at the same point."""
    if jax.process_count() == 1:
        return said
    return bool(multihost_utils.process_allgather(np.array(said)).any())


def check_agreement(value: Any, what: str):
    """Refuses to go on where processes differ in a value that JSON takes.

    Raises:
      InputError: in every process.
    """
    if jax.process_count() == 1:
        return
    digest = np.frombuffer(hashlib.sha256(json.dumps(value).encode()).digest(), np.uint8)
    if len(np.unique(multihost_utils.process_allgather(digest), axis=0)) > 1:
        raise InputError(f"the processes do not agree on {what}: give all of them the same flags, files and --workdir")


def _end_without_the_others(state, watch: Watch):
    """Keeps JAX from waiting, at the end of this process, until the others end well, which they do not.

    Nor may it abort a process, each of which ends with an exit code of its own, because the first has gone with the
    service that all are connected to: the first ends last.
    """
    for each in (state.client, state.service):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))  # never destroyed: that waits, too
    state.client = state.service = None
    system = ctypes.CDLL(None)
    system.signal(int(signal.SIGABRT), system.pause)  # stops the thread that aborts
    atexit.register(signal.alarm, int(SILENT_SECONDS))  # ends the process where something at its end hangs
    if state.process_id == 0:
        atexit.register(watch.wait_until_others_left)
