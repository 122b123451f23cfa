"""Train every pair (task, fusion) under one protocol and print the table.

    mmjax launch
    mmjax launch --tasks=handwritten --fusions=all --data_dir=data
    mmjax launch --config=experiments/configs/article.py --config.dropout=0.1

Results are kept under --workdir, a folder a run, and the same command goes on where an earlier one was
stopped. Beside them lie table.md, table.csv, table.tex, report.html and curves/. Launches on one workdir
share its cells. The exit code is 0 when every cell has been dealt with (one that failed says why in the
table) and after SIGTERM, which keeps a checkpoint; 2 for bad input and for what the machine refuses, 130 after
Ctrl-C, 75 (try again) when another process of --multihost has died.
"""

import sys

try:
    import contextlib

    from benchmarks import signals

    if __name__ == "__main__":  # before whatever takes a while to import
        signals.take_interrupts()
        signals.stop_at_once_on_sigterm()
except KeyboardInterrupt:  # before it could be taken
    print("interrupted", file=sys.stderr)
    sys.exit(130)  # as `signals.INTERRUPTED`, which may not be imported yet

from absl import flags  # noqa: E402

from benchmarks import command  # noqa: E402
from experiments.overrides import GRID_FIELDS, join_overrides, read_overrides  # noqa: E402
from mmjax.errors import InputError  # noqa: E402

FLAGS = flags.FLAGS
MEETING = ("coordinator_address", "num_processes", "process_id")  # flags of --multihost alone

flags.DEFINE_list("tasks", ["trimodal"], "Tasks, by name or tag; `mmjax list` prints them.")
flags.DEFINE_list(
    "fusions",
    ["concat", "mean", "mmtm", "unimodal"],
    "Fusions, by name or level (feature, decision, model), unimodal, unimodal/<modality>, or all; classical baselines.",
)
flags.DEFINE_list("strategies", ["joint"], "Training strategies, by name, or all.")
flags.DEFINE_integer("seeds", 3, "Runs of every cell, with the seeds 0, 1, ...", lower_bound=1)
flags.DEFINE_integer("epochs", None, "At most; the task's own default otherwise.", lower_bound=1)
flags.DEFINE_integer("batch_size", None, "Over all devices; the task's own default otherwise.", lower_bound=1)
flags.DEFINE_float("learning_rate", None, "At its highest; the task's own default otherwise.")
flags.DEFINE_enum("precision", None, ["float32", "bfloat16"], "Of activations.")
flags.DEFINE_multi_string(
    "config", [], "A Python file with get_config(); single fields as --config.<field>=<value>. The last one wins."
)
flags.DEFINE_enum(
    "match", None, ["parameters", "flops"], "Size every cell's width so that all cells of a task have concat's budget."
)
flags.DEFINE_integer(
    "tune",
    None,
    "Trials, on validation, that choose each cell's learning rate, weight decay, width and dropout.",
    lower_bound=1,
)
flags.DEFINE_integer("tune_seeds", 1, "Seeds of a trial, none of them among --seeds.", lower_bound=1)
flags.DEFINE_enum(
    "evaluate", "test", ["validation", "test"],
    "What runs are judged on. After validation, which leaves test unread, test completes the same runs untrained.",
)  # fmt: skip
flags.DEFINE_integer("devices", None, "Devices to train on; 1 otherwise, with --multihost all.", lower_bound=1)
flags.DEFINE_enum("parallel", "pmap", ["pmap", "shard_map"], "How the step is mapped over devices.")
flags.DEFINE_enum("split_devices", "auto", ["auto", "seeds", "batch"], "What the devices split.")
flags.DEFINE_enum(
    "data", "auto", ["auto", "resident", "stream"], "Whether splits lie on the devices; auto streams large ones."
)
flags.DEFINE_bool("multihost", False, "This is one of several processes that run this same command.")
flags.DEFINE_string("coordinator_address", None, "host:port of the first process; Slurm and cloud pods tell it.")
flags.DEFINE_integer("num_processes", None, "Of --multihost; Slurm and cloud pods tell it.", lower_bound=1)
flags.DEFINE_integer("process_id", None, "This one's, from 0; Slurm and cloud pods tell it.", lower_bound=0)
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")
flags.DEFINE_string("workdir", "./workdir", "Where results go.")
flags.DEFINE_bool("dry_run", False, "Print the cells and what of them is done, and train nothing.")
flags.DEFINE_bool(
    "resume", True, "Keep finished runs and go on from checkpoints; --noresume starts these cells afresh."
)
flags.DEFINE_integer("keep_checkpoints", 2, "Checkpoints of a cell, until its results are stored.", lower_bound=1)
flags.DEFINE_float("checkpoint_seconds", 15.0, "The least time between two checkpoints.", lower_bound=0.0)
flags.DEFINE_bool("keep_parameters", False, "Keep the parameters of every run that this launch trains, in its folder.")


def main() -> int:
    """Flags to a request, which is then run."""
    stop = signals.stop_on_sigterm()
    overrides = read_overrides(FLAGS.config)
    _check_meeting()
    from experiments.run_grid import Request, keep_compiled_programs, run_grid  # imports JAX
    from mmjax.training.processes import joined
    from mmjax.training.results import Interrupted

    shortcuts = {name: FLAGS[name].value for name in ("epochs", "batch_size", "learning_rate", "precision")}
    overrides |= {name: value for name, value in shortcuts.items() if value is not None}
    from_file = {name: overrides.pop(name) for name in GRID_FIELDS if name in overrides}
    grid = {name: FLAGS[name].value for name in GRID_FIELDS if FLAGS[name].present or name not in from_file}
    keep_compiled_programs()
    others = (
        "match", "tune", "tune_seeds", "devices", "parallel", "split_devices", "data", "data_dir", "workdir", "dry_run",
        "resume", "keep_checkpoints", "checkpoint_seconds", "keep_parameters", "evaluate",
    )  # fmt: skip
    values = {name: FLAGS[name].value for name in others} | {"workdir": str(command.path_of("workdir"))}
    request = Request(**from_file | grid, overrides=overrides, **values)
    with joined(*(FLAGS[name].value for name in MEETING)) if FLAGS.multihost else contextlib.nullcontext():
        try:
            run_grid(request, stop=stop)
        except Interrupted:
            print(signals.STOPPED, file=sys.stderr)
    return 0


def _check_meeting():
    """Refuses flags that say how processes meet where this is the only one."""
    given = [f"--{name}={FLAGS[name].value}" for name in MEETING if FLAGS[name].value is not None]
    if given and not FLAGS.multihost:
        raise InputError(f"{given[0]} belongs to --multihost: give that too, or leave it out")


if __name__ == "__main__":
    command.run(main, join_overrides)
