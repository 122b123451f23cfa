"""Published results to run again. To add one: a file with a Paper, and its line here."""

from experiments.papers.tmc import TMC

PAPERS = {
    "tmc": TMC,
}
