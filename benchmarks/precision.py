"""What bfloat16 costs in accuracy, and what it gains in speed, beside float32 on the same seeds.

    python -m benchmarks.precision
    python -m benchmarks.precision --task=handwritten --fusions=concat,tensor,evidential --data_dir=data

Prints each fusion's test score in either precision, bfloat16's less float32's paired by seed with its 95% interval, and
the ratio of training rates. Only activations are of bfloat16; parameters and softmaxes stay float32. A CPU computes
bfloat16 by way of float32, so that it is no faster there.
"""

from absl import flags

from benchmarks import command
from mmjax.config import MOST_SEEDS

FLAGS = flags.FLAGS

flags.DEFINE_string("task", "trimodal", "The task.")
flags.DEFINE_list("fusions", ["concat", "token_transformer", "mmtm", "evidential"], "Fusions that are trained through.")
flags.DEFINE_integer("seeds", 5, "Seeds, of both precisions.", lower_bound=2, upper_bound=MOST_SEEDS)
flags.DEFINE_integer("epochs", None, "The task's own default otherwise.", lower_bound=1)
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")
flags.DEFINE_string("output", "benchmarks/results/precision.json", "Where the JSON goes.")


def main():
    """Flags to trainings in both precisions, printed and written."""
    from benchmarks.environment import environment
    from benchmarks.statistics import interval
    from mmjax.config import config_for
    from mmjax.data import load_task
    from mmjax.evaluation.metrics import evaluate, primary_metric
    from mmjax.training.loop import check_cell, train_cell

    output = command.path_of("output")
    command.check_writable(output)
    task = load_task(FLAGS.task, data_dir=FLAGS.data_dir)
    metric, truth = primary_metric(task.target), task.splits["test"].target
    epochs = {"epochs": FLAGS.epochs} if FLAGS.epochs else {}
    configs = {name: config_for(FLAGS.task).replace(precision=name, **epochs) for name in ("float32", "bfloat16")}
    for fusion in FLAGS.fusions:
        check_cell(task, fusion, "joint", configs["float32"])
    rows = {}
    print(f"{FLAGS.task}, {metric} on test, {FLAGS.seeds} seeds")
    for fusion in FLAGS.fusions:
        results = {name: train_cell(task, fusion, "joint", configs[name], range(FLAGS.seeds)) for name in configs}
        scores = {
            name: [evaluate(task.target, run.logits["test"], truth)[metric] for run in result.runs]
            for name, result in results.items()
        }
        rates = {name: result.train_samples_per_second for name, result in results.items()}
        paired = [half - full for half, full in zip(scores["bfloat16"], scores["float32"], strict=True)]
        means = {name: sum(values) / len(values) for name, values in scores.items()}
        difference, low, high = interval(paired)
        rows[fusion] = {"scores": scores, "difference": [difference, low, high], "samples_per_second": rates}
        print(f"{fusion:20} float32 {means['float32']:.4f}  bfloat16 {means['bfloat16']:.4f}  "
              f"difference {difference:+.4f} [{low:+.4f}, {high:+.4f}]  "
              f"speed x {rates['bfloat16'] / rates['float32']:.2f}")  # fmt: skip
    facts = {"task": FLAGS.task, "metric": metric, "fusions": rows, "environment": environment()}
    command.write_json(output, facts)
    print(f"written to {output}")


if __name__ == "__main__":
    command.run(main)
