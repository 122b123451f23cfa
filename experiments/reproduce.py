"""Run a published protocol again and put our figure beside the published one.

    mmjax reproduce --paper=list
    mmjax reproduce --paper=tmc --data_dir=data

Runs are kept under --workdir/papers/<paper>, so that a second call only reads them. The exit code is 0 for
PASS, 1 for MISS, 2 for bad input.
"""

from absl import flags

from benchmarks import command
from mmjax.config import MOST_SEEDS

FLAGS = flags.FLAGS

flags.DEFINE_string("paper", None, "Which paper, or list.", required=True)
flags.DEFINE_integer(
    "seeds", None, "Runs; as many as the paper's protocol has otherwise.", lower_bound=1, upper_bound=MOST_SEEDS
)
flags.DEFINE_string("data_dir", None, "Where the tasks' files lie; MMJAX_DATA_DIR otherwise, else they are downloaded.")
flags.DEFINE_string("workdir", "./workdir", "Where results go.")


def main() -> int:
    """Flags to a paper's run and its verdict."""
    from experiments.papers import PAPERS
    from experiments.papers.paper import account, passes
    from experiments.run_grid import check_writable, keep_compiled_programs
    from mmjax.errors import lookup

    if FLAGS.paper == "list":
        print("\n".join(f"{name}: {paper.title}, {paper.link}" for name, paper in PAPERS.items()))
        return 0
    paper = lookup(PAPERS, "paper", FLAGS.paper)
    workdir = command.path_of("workdir") / "papers" / FLAGS.paper
    check_writable(workdir)
    keep_compiled_programs()
    measured = paper.run(FLAGS.data_dir, workdir, range(FLAGS.seeds or paper.seeds))
    print(account(paper, measured))
    return 0 if passes(paper, next(iter(measured.values()))) else 1


if __name__ == "__main__":
    command.run(main)
