"""A training that a process does alone or with others: what the tests of several processes run.

python two_processes.py <output> <devices> <split> <data> [<coordinator> <processes> <process>]
"""

import pickle
import sys

from mmjax.training.processes import any_process, check_agreement, from_first, is_first, join_processes

output, devices, split, data, *others = sys.argv[1:]
if others:
    join_processes(others[0], int(others[1]), int(others[2]))

from small_tasks import small_task  # noqa: E402 (JAX must not start before the processes have met)

from mmjax.config import Config  # noqa: E402
from mmjax.errors import InputError  # noqa: E402
from mmjax.training.loop import train_cell  # noqa: E402
from mmjax.training.parallel import Placement  # noqa: E402

if others:
    own = int(others[2])
    assert from_first({"number": own}) == {"number": 0}
    assert any_process(own == 1) and not any_process(False)
    check_agreement("the same", "a word")
    try:
        check_agreement(own, "their numbers")
        raise AssertionError("they do not agree")
    except InputError as error:
        assert "do not agree on their numbers" in str(error)

config = Config(width=8, encoder_layers=1, epochs=2, batch_size=10, evaluation_batch_size=6)
result = train_cell(
    small_task(sizes=(27, 13, 9)), "gmu", "joint", config, (0, 1, 2), Placement(int(devices), "pmap", split), data=data
)
if is_first():
    with open(output, "wb") as file:
        pickle.dump([(run.logits, run.history) for run in result.runs], file)
