"""A process that fails beside another: what the tests of processes that watch each other run.

python failing_processes.py <fault> <coordinator> <process>
"""

import errno
import sys

from absl import flags

from benchmarks import command
from mmjax.errors import InputError
from mmjax.training.processes import any_process, check_agreement, joined

fault, coordinator, process = sys.argv[1:]
FAULTS = {
    "first": (0, InputError("the fault of process 0")),
    "second": (1, InputError("the fault of process 1")),
    "disk": (0, OSError(errno.ENOSPC, "No space left on device", "the fault of process 0")),
    "program": (1, AssertionError("a fault of the program")),
    "interrupt": (1, KeyboardInterrupt()),
}


def main():
    with joined(coordinator, 2, int(process)):
        any_process(False)
        if fault == "all":
            check_agreement(process, "the fault of process 0 and 1")
        elif fault != "none":
            failing, error = FAULTS[fault]
            if failing == int(process):
                raise error
            any_process(False)


if __name__ == "__main__":
    flags.FLAGS(sys.argv[:1])
    sys.exit(command.guarded(main))
