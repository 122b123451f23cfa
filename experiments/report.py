"""Write a workdir's tables, curves and report again, from its results alone.

    mmjax report --workdir=workdir
    mmjax report --workdir=workdir --launch=3f2a90c1d7e4

Nothing is trained and no data are read: results are those in workdir/runs, and what of them belongs together is kept in
workdir/launches, a file a launch. Of a launch that still runs, or was killed, it shows what is there. The exit code is
2 for bad input.
"""

from absl import flags

from benchmarks import command

FLAGS = flags.FLAGS

flags.DEFINE_string("workdir", "./workdir", "Where a launch's results are, and its tables go.")
flags.DEFINE_string("launch", None, "Name of a file in workdir/launches; the last launch otherwise.")


def main() -> int:
    """Reads a launch's rows and writes what is made of them."""
    from experiments.launches import read_launch
    from experiments.results import write_outputs
    from experiments.run_grid import check_writable, print_results
    from mmjax.disk import writing

    workdir = command.path_of("workdir")
    rows = read_launch(workdir, FLAGS.launch)
    check_writable(workdir)
    with writing(workdir):
        write_outputs(rows, workdir)
    print_results(rows, workdir)
    return 0


if __name__ == "__main__":
    command.run(main)
