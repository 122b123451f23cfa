"""What bfloat16 costs in accuracy, and what it gains in speed, beside float32 on the same seeds.

    python -m benchmarks.precision
    python -m benchmarks.precision --task=handwritten --fusions=concat,tensor,evidential,product --data_dir=data

Prints each fusion's test score in either precision, bfloat16's less float32's paired by seed with its 95% interval, the
share of bfloat16's decisions in which two classes are ahead with the very same number, and the ratio of training rates.
A decision rule that is not trained combines unimodal models of either precision. Only the activations of encoders,
fusions and hidden layers are of bfloat16; parameters, softmaxes, decisions and losses stay float32. A CPU computes
bfloat16 by way of float32, so that it is no faster there.
"""

import numpy as np
from absl import flags

from benchmarks import command
from mmjax.config import MOST_SEEDS

FLAGS = flags.FLAGS

flags.DEFINE_string("task", "trimodal", "The task.")
flags.DEFINE_list("fusions", ["concat", "token_transformer", "mmtm", "evidential", "product"], "Fusions.")
flags.DEFINE_integer("seeds", 5, "Seeds, of both precisions.", lower_bound=2, upper_bound=MOST_SEEDS)
flags.DEFINE_integer("epochs", None, "The task's own default otherwise.", lower_bound=1)
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")
flags.DEFINE_string("output", "benchmarks/results/precision.json", "Where the JSON goes.")


def parts_of(task, fusion: str) -> list[str]:
    """What is trained for a fusion: itself, or, of a decision rule that is not trained, a model for each modality."""
    from mmjax.fusion import DECISION

    rule = DECISION.get(fusion)
    return [f"unimodal/{spec.name}" for spec in task.modalities] if rule and not rule.trained else [fusion]


def decisions(task, fusion: str, config, seeds: int) -> tuple[list[np.ndarray], float]:
    """Every seed's logits on test [n, K], and the samples a second that its models were trained at."""
    from mmjax.training.decisions import combine_decisions
    from mmjax.training.loop import train_cell

    names = parts_of(task, fusion)
    results = {name: train_cell(task, name, "joint", config, range(seeds)) for name in names}
    rate = 1 / sum(1 / result.train_samples_per_second for result in results.values())
    if names == [fusion]:
        return [run.logits["test"] for run in results[fusion].runs], rate
    fused = []
    for seed in range(seeds):
        own = {name.removeprefix("unimodal/"): result.runs[seed].logits for name, result in results.items()}
        fused.append(combine_decisions(task, fusion, config, own)["test"])
    return fused, rate


def main():
    """Flags to trainings in both precisions, printed and written."""
    from benchmarks.environment import environment, flag_values
    from benchmarks.statistics import interval, ties
    from mmjax.data import defaults_of, load_task
    from mmjax.evaluation.metrics import evaluate, primary_metric
    from mmjax.training.loop import check_cell

    output = command.path_of("output")
    command.check_writable(output)
    task = load_task(FLAGS.task, data_dir=FLAGS.data_dir)
    metric, truth = primary_metric(task.target), task.splits["test"].target
    epochs = {"epochs": FLAGS.epochs} if FLAGS.epochs else {}
    configs = {name: defaults_of(FLAGS.task).replace(precision=name, **epochs) for name in ("float32", "bfloat16")}
    for fusion in FLAGS.fusions:
        for part in parts_of(task, fusion):
            check_cell(task, part, "joint", configs["float32"])
    rows = {}
    print(f"{FLAGS.task}, {metric} on test, {FLAGS.seeds} seeds")
    for fusion in FLAGS.fusions:
        logits, rates = zip(*(decisions(task, fusion, config, FLAGS.seeds) for config in configs.values()), strict=True)
        logits, rates = (dict(zip(configs, values, strict=True)) for values in (logits, rates))
        scores = {
            name: [evaluate(task.target, each, truth)[metric] for each in values] for name, values in logits.items()
        }
        equal = {name: float(np.mean([ties(each) for each in values])) for name, values in logits.items()}
        paired = [half - full for half, full in zip(scores["bfloat16"], scores["float32"], strict=True)]
        means = {name: sum(values) / len(values) for name, values in scores.items()}
        difference, low, high = interval(paired)
        rows[fusion] = {
            "scores": scores,
            "difference": [difference, low, high],
            "ties": equal,
            "samples_per_second": rates,
        }
        print(f"{fusion:20} float32 {means['float32']:.4f}  bfloat16 {means['bfloat16']:.4f}  "
              f"difference {difference:+.4f} [{low:+.4f}, {high:+.4f}]  ties {equal['bfloat16']:.4f}  "
              f"speed x {rates['bfloat16'] / rates['float32']:.2f}")  # fmt: skip
    facts = {
        "task": FLAGS.task,
        "metric": metric,
        "fusions": rows,
        "flags": flag_values(),
        "environment": environment(),
    }
    command.write_json(output, facts)
    print(f"written to {output}")


if __name__ == "__main__":
    command.run(main)
