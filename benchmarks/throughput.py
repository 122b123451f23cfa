"""How fast every cell trains and predicts, and what it costs; the machine stands beside the figures.

    mmjax throughput
    mmjax throughput --tasks=handwritten --fusions=feature,evidential --data_dir=data

For each pair of a task and a fusion, all seeds as one program: training and inference in samples
a second (median and quartiles of epochs, of passes over the validation split), the latency of one
batch (p50, p95), compile time apart, parameters, FLOPs by the jaxpr, and the peak memory of the
process so far. Prints a table and writes JSON.
"""

from absl import flags

from benchmarks import command
from mmjax.config import MOST_SEEDS

FLAGS = flags.FLAGS

flags.DEFINE_list("tasks", ["trimodal"], "Tasks, by name or tag, or folders.")
flags.DEFINE_list("fusions", ["unimodal", "concat", "mean", "mmtm"], "Fusions, by name or level, or unimodal.")
flags.DEFINE_integer("seeds", 3, "Seeds that train side by side.", lower_bound=1, upper_bound=MOST_SEEDS)
flags.DEFINE_integer("batch_size", None, "The task's own default otherwise.", lower_bound=1)
flags.DEFINE_integer("repeats", 10, "Timed epochs and passes; and ten times as many batches.", lower_bound=1)
flags.DEFINE_string("output", "benchmarks/results/throughput.json", "Where the JSON goes.")
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")


def main():
    """Flags to a list of records, printed and written."""
    from rich.console import Console
    from rich.markup import escape

    from benchmarks.cost import fusions_of, measure_cell, table
    from benchmarks.environment import environment, flag_values
    from mmjax.data import defaults_of, load_tasks, tasks_of

    output = command.path_of("output")
    command.check_writable(output)
    console, records = Console(), []
    for name, task in load_tasks(tasks_of(FLAGS.tasks), FLAGS.data_dir).items():
        config = defaults_of(name)
        if FLAGS.batch_size:
            config = config.replace(batch_size=FLAGS.batch_size)
        for fusion in fusions_of(FLAGS.fusions, task):
            with console.status(escape(f"{task.title} x {fusion}")):
                records.append(measure_cell(task, fusion, config, range(FLAGS.seeds), FLAGS.repeats))
    console.print(table(records))
    command.write_json(output, {"flags": flag_values(), "environment": environment(), "cells": records})
    print(f"written to {output}")


if __name__ == "__main__":
    command.run(main)
