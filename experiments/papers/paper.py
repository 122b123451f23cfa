"""A published result and what it takes to say that ours is the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.statistics import interval


@dataclasses.dataclass(frozen=True)
class Figure:
    """A published figure.

    Attributes:
      value: in percent.
      spread: as published beside it, 0 if there is none.
      source: who printed it.
      same_protocol: whether it comes from the split and the recipe that are run here.
    """

    value: float
    spread: float
    source: str
    same_protocol: bool

    def __str__(self):
        spread = f"±{self.spread:.2f}" if self.spread else ""
        aside = "" if self.same_protocol else "; beside it, no part of the verdict"
        return f"{self.value:.2f}{spread} ({self.source}{aside})"


@dataclasses.dataclass(frozen=True)
class Paper:
    """A paper that can be reproduced.

    Attributes:
      title, link: which paper.
      metric: what its figures are.
      published: its figures.
      protocol: sentences that say what is run, and where it departs from the paper.
      resolution: what one test example counts, in percent points.
      seeds: runs of the paper's protocol.
      run: (data_dir, workdir, seeds) -> what was run -> our value of each seed, in percent. The first is
        what the verdict is about; the others are printed beside it.
    """

    title: str
    link: str
    metric: str
    published: tuple[Figure, ...]
    protocol: tuple[str, ...]
    resolution: float
    seeds: int
    run: Callable[[str | None, Path, Sequence[int]], dict[str, list[float]]]


RULE = (
    "PASS when our first mean is not below any figure of the same split and recipe by more than "
    "the larger of that figure's spread and one test example."
)


def passes(paper: Paper, values: Sequence[float]) -> bool:
    """Whether values, one a seed in percent, reproduce the paper by RULE."""
    mean = interval(values).mean
    comparable = [figure for figure in paper.published if figure.same_protocol]
    return all(mean >= figure.value - max(figure.spread, paper.resolution) for figure in comparable)


def account(paper: Paper, measured: Mapping[str, Sequence[float]]) -> str:
    """What was run, what was published, ours, and the verdict; `measured` as `paper.run` gives it."""
    lines = [f"{paper.title}, {paper.link}", *paper.protocol]
    lines += [f"published {paper.metric}: {figure}" for figure in paper.published]
    for label, values in measured.items():
        mean, low, high = interval(values)
        lines.append(
            f"ours, {label}: {mean:.2f} [{low:.2f}, {high:.2f}], mean and 95% interval over {len(values)} seeds"
        )
    judged = next(iter(measured.values()))
    return "\n".join([*lines, RULE, "PASS" if passes(paper, judged) else "MISS"])
