"""Print what exists: tasks, fusions by level, encoders, decoders and training strategies.

mmjax list
mmjax list --json
"""

from absl import flags

from benchmarks import command

FLAGS = flags.FLAGS

flags.DEFINE_bool("json", False, "Print JSON instead of a table.")


def main() -> int:
    """The registries, as a table or as JSON."""
    from experiments import registries

    print(registries.as_json()) if FLAGS.json else registries.print_table()
    return 0


if __name__ == "__main__":
    command.run(main)
