"""How long data take: to be prepared once, to be loaded, and to be streamed beside what a model consumes.

    python -m benchmarks.data_speed --data_dir=data
    python -m benchmarks.data_speed --tasks=full --prepare=avdigits

- prepare: the task, from raw files to arrays, in an empty cache and a process of its own.
- load: every task once more, each in a process of its own: seconds, and by how much the process grows once every array
  has been read, over the arrays' size.
- stream: blocks of the training split through `--data=stream`'s feed without a model behind it, against the training
  rate of the fastest of --fusions; median of --repeats, alternating.

Prints a table and writes JSON.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from absl import flags

from benchmarks import command

FLAGS = flags.FLAGS

flags.DEFINE_list("tasks", ["full"], "Tasks that are loaded, by name or tag.")
flags.DEFINE_string("prepare", "avdigits", "The task that is prepared and streamed.")
flags.DEFINE_list("fusions", ["concat", "mean"], "Fusions, with all unimodal models, of which the fastest is taken.")
flags.DEFINE_integer("repeats", 3, "Of streaming and of training.", lower_bound=1)
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")
flags.DEFINE_string("output", "benchmarks/results/data_speed.json", "Where the JSON goes.")
flags.DEFINE_string("one", None, "For the processes that this one starts: load this task and say how it went.")


def main():
    """Flags to the three measurements."""
    from mmjax.data import tasks_of

    if FLAGS.one:
        print(json.dumps(load_once(FLAGS.one, FLAGS.data_dir)))
        return
    output = command.path_of("output")
    command.check_writable(output)
    names = tasks_of(FLAGS.tasks)
    tasks_of([FLAGS.prepare])
    from benchmarks.environment import environment, flag_values

    with tempfile.TemporaryDirectory() as cache:
        prepared = _in_a_process(FLAGS.prepare, {"MMJAX_CACHE_DIR": cache})
        print(f"{FLAGS.prepare} prepared in {prepared['seconds']:.1f} s")
    loads = {}
    for name in names:
        _in_a_process(name, {})  # prepares it where it is not yet
        loads[name] = loaded = _in_a_process(name, {})
        print(f"{name:20} {loaded['seconds']:6.2f} s  {loaded['bytes'] / 2**20:8.1f} MiB  "
              f"memory x {loaded['grown'] / loaded['bytes']:.2f}")  # fmt: skip
    rates = stream_rates(FLAGS.prepare, FLAGS.fusions, FLAGS.repeats)
    ratio = rates["streamed"] / max(rates["trained"].values())
    print(f"{FLAGS.prepare} streamed at {rates['streamed']:,.0f} examples/s, {ratio:.1f} x the fastest of its models")
    facts = {"prepared": {FLAGS.prepare: prepared}, "loaded": loads, "streamed": rates | {"ratio": ratio}}
    command.write_json(output, facts | {"flags": flag_values(), "environment": environment()})
    print(f"written to {output}")


def load_once(name: str, data_dir: str | None) -> dict:
    """Seconds to load a task, bytes of its arrays, and bytes that the process grew by once all were read."""
    import jax

    from mmjax.data import load_task

    before, started = _resident(), time.perf_counter()
    task = load_task(name, data_dir=data_dir)
    seconds = time.perf_counter() - started
    arrays = jax.tree.leaves(dict(task.splits))
    for array in arrays:
        array.sum()
    return {"seconds": seconds, "bytes": sum(array.nbytes for array in arrays), "grown": _resident() - before}


def stream_rates(name: str, fusions: list[str], repeats: int) -> dict:
    """Examples a second that the feed gives alone, and that models take from resident splits in training."""
    import jax
    import numpy as np

    from mmjax.data import defaults_of, load_task
    from mmjax.model import build_model
    from mmjax.training.feed import make_feed
    from mmjax.training.loop import train_cell
    from mmjax.training.parallel import Placement, lay_out
    from mmjax.training.step import PhasePrograms
    from mmjax.training.strategies import STRATEGIES
    from mmjax.training.strategies.goal import Setting

    task = load_task(name, data_dir=FLAGS.data_dir)
    config = defaults_of(name).replace(epochs=1)
    models = [*fusions, *(f"unimodal/{spec.name}" for spec in task.modalities)]
    layout, train = lay_out((0,), Placement()), task.splits["train"]
    setting = Setting(task.modalities, task.target, config)
    phase = STRATEGIES["joint"].phases(setting, frozenset())[0]
    programs = PhasePrograms(build_model(task.modalities, task.target, "concat", config), phase, config, train.size, 1)

    def take(function, state, trace, data, *rest, **how):
        return state, jax.block_until_ready((trace, data))[0]

    feed = make_feed("stream", task.splits, layout, take)
    streamed, trained = [], {model: [] for model in models}
    for _ in range(repeats):
        started = time.perf_counter()
        feed.train(programs, None, 0, 0, 1)
        streamed.append(train.size / (time.perf_counter() - started))
        for model in models:
            result = train_cell(task, model, "joint", config, (0,), splits=("validation",), data="resident")
            trained[model].append(result.train_samples_per_second)
    return {
        "streamed": statistics.median(streamed),
        "trained": {model: float(np.median(rates)) for model, rates in trained.items()},
    }


def _in_a_process(name: str, environment: dict) -> dict:
    arguments = [f"--one={name}", *([f"--data_dir={FLAGS.data_dir}"] if FLAGS.data_dir else [])]
    line = [sys.executable, "-m", "benchmarks.data_speed", *arguments]
    done = subprocess.run(line, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout.splitlines()[-1])


def _resident() -> int:
    """The most bytes that this process has held so far, mapped files among them."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    command.run(main)
