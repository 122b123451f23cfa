"""What may not matter, measured: how far results are apart that differ only in where they were computed.

    python -m benchmarks.equalities
    python -m benchmarks.equalities --fusion=mmtm --strategy=ogm_ge

Each training is a process of its own (one is two), on simulated devices where there is no other. Prints the largest
difference of any logit of validation and test, and of any figure of the history, over all seeds:

- two processes of two devices, against one process of four that divide each batch;
- streamed blocks, against splits that lie on the device;
- eight devices that divide the seeds, against one: products of fewer seeds at once, so that rounding differs;
- eight devices that divide each batch, against one: sums in another order, so that rounding differs;
- shard_map, against pmap, on eight devices that divide each batch.

The exit code is 1 where a difference is more than rounding explains: above 0 for streams and shard_map, above
--tolerance for the others.
"""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from absl import flags

from benchmarks import command
from mmjax.config import MOST_SEEDS

FLAGS = flags.FLAGS

flags.DEFINE_string("task", "trimodal", "The task.")
flags.DEFINE_string("fusion", "concat", "The fusion.")
flags.DEFINE_string("strategy", "joint", "The training strategy.")
flags.DEFINE_integer("seeds", 8, "Seeds.", lower_bound=1, upper_bound=MOST_SEEDS)
flags.DEFINE_integer("epochs", 1, "Epochs.", lower_bound=1)
flags.DEFINE_float("tolerance", 1e-3, "Of sums in another order, after all epochs.")
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")
flags.DEFINE_string("output", "benchmarks/results/equalities.json", "Where the JSON goes.")
flags.DEFINE_string("train", None, "Used by the command itself: <devices>,<parallel>,<split>,<data>.")
flags.DEFINE_string("join", None, "Used by the command itself: <coordinator>,<processes>,<process>.")

SMALL = {"width": 16, "token_size": 16}  # eight devices hold eight copies of what they divide the batch of

# name: (processes, devices of each, parallel, what the devices divide, data)
TRAININGS = {
    "one device": (1, 1, "pmap", "auto", "resident"),
    "streamed": (1, 1, "pmap", "auto", "stream"),
    "eight devices, seeds": (1, 8, "pmap", "seeds", "resident"),
    "eight devices, batch": (1, 8, "pmap", "batch", "resident"),
    "eight devices, shard_map": (1, 8, "shard_map", "batch", "resident"),
    "four devices": (1, 4, "pmap", "batch", "resident"),
    "two processes of two": (2, 2, "pmap", "batch", "resident"),
}
# (one, the other, whether they are the same bit for bit)
PAIRS = (
    ("two processes of two", "four devices", False),
    ("streamed", "one device", True),
    ("eight devices, seeds", "one device", False),
    ("eight devices, batch", "one device", False),
    ("eight devices, shard_map", "eight devices, batch", True),
)


def main() -> int:
    """Either one training, or all of them and what they differ in."""
    if FLAGS.train:
        return _train(Path(FLAGS.output))
    from benchmarks.environment import environment, flag_values
    from mmjax.training.loop import check_cell

    output = command.path_of("output")
    command.check_writable(output)
    check_cell(*_cell())
    with tempfile.TemporaryDirectory() as folder:
        results = {}
        for name in TRAININGS:
            print(f"training: {name}", file=sys.stderr)
            results[name] = _run(name, Path(folder) / f"{len(results)}.npz")
    differences, wrong = {}, False
    for one, other, same in PAIRS:
        values = {name: _difference(results[one], results[other], name) for name in ("logits", "history")}
        differences[f"{one} against {other}"] = values
        allowed = 0.0 if same else FLAGS.tolerance
        wrong |= not max(values.values()) <= allowed
        print(f"{one:26} against {other:22} logits {values['logits']:.2e}  history {values['history']:.2e}  "
              f"allowed {allowed:.0e}")  # fmt: skip
    cell = {name: FLAGS[name].value for name in ("task", "fusion", "strategy", "seeds", "epochs", "tolerance")}
    command.write_json(
        output, cell | {"maximum_differences": differences, "flags": flag_values(), "environment": environment()}
    )
    print(f"written to {output}")
    return int(wrong)


def _run(name: str, path: Path) -> dict:
    """The results of one of TRAININGS."""
    import numpy as np

    processes, devices, *_ = TRAININGS[name]
    simulated = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    words = [sys.executable, "-m", "benchmarks.equalities", f"--output={path}", f"--data_dir={FLAGS.data_dir or ''}"]
    words += [f"--{flag}={FLAGS[flag].value}" for flag in ("task", "fusion", "strategy", "seeds", "epochs")]
    words.append("--train=" + ",".join(map(str, TRAININGS[name][1:])))
    meeting = f"localhost:{_free_port()}"
    running = []
    for process in range(processes):
        join = [f"--join={meeting},{processes},{process}"] if processes > 1 else []
        running.append(subprocess.Popen([*words, *join], env=os.environ | {"XLA_FLAGS": simulated}))
    if any([each.wait() for each in running]):
        raise SystemExit(f"the training {name!r} failed")
    with np.load(path) as arrays:
        return dict(arrays)


def _train(path: Path) -> int:
    """One training in this process, whose results the first process writes."""
    devices, parallel, split, data = FLAGS.train.split(",")
    from mmjax.training.processes import is_first, join_processes

    if FLAGS.join:
        coordinator, processes, process = FLAGS.join.split(",")
        join_processes(coordinator, int(processes), int(process))
        devices = int(devices) * int(processes)
    import numpy as np

    from mmjax.training.loop import train_cell
    from mmjax.training.parallel import Placement

    task, fusion, strategy, config = _cell()
    placement = Placement(int(devices), parallel, split)
    result = train_cell(task, fusion, strategy, config, tuple(range(FLAGS.seeds)), placement, data=data)
    history = [[value for value in line.values() if not isinstance(value, str)]
               for run in result.runs for line in run.history]  # fmt: skip
    logits = {
        f"{split}_logits": np.stack([run.logits[split] for run in result.runs]) for split in result.runs[0].logits
    }
    if is_first():
        np.savez(path, history=np.array(history), **logits)
    return 0


def _cell() -> tuple:
    """What is trained: task, fusion, strategy, config."""
    from mmjax.data import defaults_of, load_task

    task = load_task(FLAGS.task, data_dir=FLAGS.data_dir or None)
    return task, FLAGS.fusion, FLAGS.strategy, defaults_of(FLAGS.task).replace(epochs=FLAGS.epochs, **SMALL)


def _difference(one: dict, other: dict, kind: str) -> float:
    import numpy as np

    return max(float(np.abs(one[name] - other[name]).max()) for name in one if name.endswith(kind))


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


if __name__ == "__main__":
    command.run(main)
