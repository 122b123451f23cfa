"""Ours and a peer at the same work, in turns on the same machine; what counts is the ratio.

    mmjax compare --pair=tmc --data_dir=data
    mmjax compare --pair=article
    mmjax compare --pair=pmap

- tmc: TMC's training on `handwritten`, linear heads and batches of 200; ours trains --seeds (30)
  seeds as one program, PyTorch loops over batches.
- article: the founding article's worked example on `trimodal`, batches of 32, --seeds (1); against
  Keras and PyTorch.
- pmap: an epoch of the article's model as pmap and as shard_map on one device, against plain jit.

Each round runs every contestant once; samples a second leave compiling and evaluation out. Time
on an otherwise idle machine: a process that holds a core slows PyTorch more than it does us.
"""

import statistics
from pathlib import Path

from absl import flags

from benchmarks import command
from mmjax.config import MOST_SEEDS

FLAGS = flags.FLAGS

flags.DEFINE_string("pair", "tmc", "tmc, article or pmap.")
flags.DEFINE_integer(
    "seeds",
    None,
    "Seeds that ours trains side by side; the pair's default otherwise.",
    lower_bound=1,
    upper_bound=MOST_SEEDS,
)
flags.DEFINE_integer("epochs", None, "Epochs a round; the pair's own default otherwise.", lower_bound=2)
flags.DEFINE_integer("rounds", 5, "Rounds; the median counts.", lower_bound=1)
flags.DEFINE_string("output", None, "Where the JSON goes; benchmarks/results/compare_<pair>.json otherwise.")
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")


def main():
    """Flags to rounds, printed and written."""
    from benchmarks.environment import environment, flag_values
    from benchmarks.pairs import PAIRS, in_turns, options_of, sentences
    from mmjax.errors import lookup

    contestants_of = lookup(PAIRS, "pair", FLAGS.pair)
    output = command.path_of("output") if FLAGS.output else Path(f"benchmarks/results/compare_{FLAGS.pair}.json")
    command.check_writable(output)
    options = options_of(FLAGS.pair, {name: FLAGS[name].value for name in ("seeds", "epochs") if FLAGS[name].value})
    result = in_turns(contestants_of(FLAGS.data_dir, **options), FLAGS.rounds)
    for name, rates in result["samples_per_second"].items():
        print(f"{name:14} {statistics.median(rates):12,.0f} samples/s")
    print("\n".join(sentences(result)))
    record = {"flags": flag_values() | options, **result, "environment": environment()}
    command.write_json(output, {"pair": FLAGS.pair, **record})
    print(f"written to {output}")


if __name__ == "__main__":
    command.run(main)
