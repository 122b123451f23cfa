"""The search for one cell's hyper-parameters: so many trials, judged on validation; the best is chosen.

A trial is a training of the cell's own epochs with other values of learning rate, weight decay, width and dropout.
The first is the cell as it was asked for, so that a search never ends below it on validation. The test split is not
read.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jax

from experiments.budget import width_step
from experiments.grid import Cell, code_version, digest
from experiments.locks import Lock
from experiments.proposals import RANDOM_TRIALS, SAMPLER_SEED, Proposals
from experiments.trials import Trial, TrialFile, best_of
from mmjax.config import MOST_SEEDS
from mmjax.errors import InputError
from mmjax.file_names import file_name
from mmjax.training.loop import check_cell
from mmjax.training.parallel import Placement
from mmjax.training.results import Progress, RunResult
from mmjax.types import Task

FIELDS = ("learning_rate", "weight_decay", "width", "dropout")
LANES = 4  # learning rates that train side by side, in one program
RATE_FACTOR = 10.0  # the learning rate is searched from 1 / RATE_FACTOR to RATE_FACTOR times the cell's own
WEIGHT_DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2)
WIDTH_FACTORS = (0.5, 1.0, 2.0)  # times the cell's own
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
FIRST_SEED = MOST_SEEDS  # of the trials: no reported seed is one that the hyper-parameters were chosen on
SEARCH = {  # what a search depends on beside its cell
    "lanes": LANES, "learning_rate": RATE_FACTOR, "weight_decay": WEIGHT_DECAYS, "width": WIDTH_FACTORS,
    "dropout": DROPOUTS, "first_seed": FIRST_SEED, "sampler": [SAMPLER_SEED, RANDOM_TRIALS],
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Tuning:
    """How cells are tuned.

    Attributes:
      trials: of every cell that is trained, at least 1.
      seeds: that a trial is trained with, at least 1; its score is the mean over them.
      fields: of Config that are searched, among FIELDS.
    """

    trials: int
    seeds: int = 1
    fields: tuple[str, ...] = FIELDS

    def __post_init__(self):
        for flag, value in (("tune", self.trials), ("tune_seeds", self.seeds)):
            if type(value) is not int or not 1 <= value <= MOST_SEEDS:
                raise InputError(f"{flag} = {value!r} is not accepted: give how many, from 1 to {MOST_SEEDS:,}")


def check_tunable(task: Task):
    """Refuses a task whose validation may not choose.

    Raises:
      InputError: for such a task.
    """
    if not task.chooses:
        raise InputError(
            f"--tune is not accepted for task {task.name!r}: validation does not choose there ({task.contaminated}); "
            "leave the task or the flag out"
        )


class Tuned(NamedTuple):
    """How far the search of a cell is.

    Attributes:
      tuning: what was asked for.
      trials: that are made.
      chosen: field -> value; empty until all trials are made.
    """

    tuning: Tuning
    trials: int
    chosen: Mapping[str, float]


class Search:
    """The search of one cell, as far as it is on disk.

    Attributes:
      task, cell, tuning: what is searched, and how.
      name: readable, then a hash of everything that the search depends on.
      file: its trials.
    """

    def __init__(self, task: Task, cell: Cell, tuning: Tuning, workdir: Path):
        self.task, self.cell, self.tuning = task, cell, tuning
        self.lower_is_better = task.target.kind == "regression"
        identity = {
            "task": cell.task, "fusion": cell.fusion, "strategy": cell.strategy, "config": cell.config.to_dict(),
            "trials": tuning.trials, "seeds": tuning.seeds, "fields": tuning.fields, "search": SEARCH,
            "data": task.fingerprint, "code": code_version(),
        }  # fmt: skip
        readable = file_name("-".join((cell.task, cell.fusion, cell.strategy)))
        self.name = f"{readable}-{digest(identity)}"
        self.file = TrialFile(workdir / "trials" / f"{self.name}.json", identity)

    @property
    def state(self) -> Tuned:
        """How far it is, as the disk has it."""
        trials = self.file.read()
        return Tuned(self.tuning, len(trials), self._choice(trials) or {})

    def run(self, lock: Lock, placement: Placement, train: Callable, on_progress: Callable, stop: Callable[[], bool]):
        """Make the trials that are missing, group by group, each kept as soon as it is made.

        What the sampler proposes depends on its seed and on all trials before, so that a search which goes on is
        told those that are kept, and proposes what it would have.

        Raises:
          Lost: if the lock was taken over.
        """
        proposals = Proposals(self._space(), self._own_values(), self.lower_is_better)
        kept, trials = self.file.read(), []
        while len(trials) < self.tuning.trials:
            group = proposals.ask(min(LANES, self.tuning.trials - len(trials)))
            made = kept[len(trials) : len(trials) + len(group)]
            if [trial.values for trial in made] != group:
                kept = []  # a group that was cut short, or another sampler's
                of_search = _part_of_search(on_progress, len(trials), len(group), self.tuning.trials)
                made = self._train(group, placement, train, of_search, stop)
                with lock.kept():
                    self.file.write([*trials, *made], self._choice([*trials, *made]))
            proposals.tell(made)
            trials += made

    def _choice(self, trials: Sequence[Trial]) -> Mapping[str, float] | None:
        """The values of the best, once all trials are made."""
        return best_of(trials, self.lower_is_better).values if len(trials) == self.tuning.trials else None

    def _own_values(self) -> dict[str, float]:
        return {name: getattr(self.cell.config, name) for name in self.tuning.fields}

    def _space(self) -> dict[str, Sequence]:
        """Field -> its values to choose from; of the learning rate, the lowest and the highest."""
        config = self.cell.config
        space = {
            "learning_rate": (config.learning_rate / RATE_FACTOR, config.learning_rate * RATE_FACTOR),
            "weight_decay": sorted({*WEIGHT_DECAYS, config.weight_decay}),
            "width": self._widths() if "width" in self.tuning.fields else (),
            "dropout": sorted({*DROPOUTS, config.dropout}),
        }
        return {name: space[name] for name in self.tuning.fields}

    def _widths(self) -> list[int]:
        """Multiples of the cell's own width that its model accepts, rounded to what heads and chunks divide."""
        own = self.cell.config.width
        step = width_step(self.task, [self.cell.fusion], self.cell.config)
        rounded = {max(round(own * factor / step), 1) * step for factor in WIDTH_FACTORS}
        return sorted({own, *filter(self._accepts, rounded)})

    def _accepts(self, width: int) -> bool:
        try:
            check_cell(self.task, self.cell.fusion, self.cell.strategy, self.cell.config.replace(width=width))
        except InputError:
            return False
        return True

    def _train(self, group: Sequence[Mapping], placement, train, on_progress, stop) -> list[Trial]:
        """The trials of a group that differ in their learning rate alone, as lanes of one program."""
        shared = {name: value for name, value in group[0].items() if name != "learning_rate"}
        rates = [values["learning_rate"] for values in group]
        seeds = range(FIRST_SEED, FIRST_SEED + self.tuning.seeds)
        try:
            result = train(
                self.task, self.cell.fusion, self.cell.strategy, self.cell.config.replace(**shared),
                tuple(seed for seed in seeds for _ in rates), placement, None, on_progress,
                stop=stop, learning_rates=tuple(rates) * len(seeds), splits=("validation",),
            )  # fmt: skip
        except (jax.errors.JaxRuntimeError, MemoryError) as error:
            # Too wide for the memory, say: the search goes on without it.
            reason = f"failed: {(str(error).splitlines() or ['not enough memory'])[0]}"
            return [Trial(values, None, None, (), reason) for values in group]
        finally:
            jax.clear_caches()  # programs hold memory maps, of which a process has not enough for hundreds of trials
        metric = "validation_error" if self.lower_is_better else "validation_accuracy"
        return [_trial(values, result.runs[lane :: len(rates)], metric) for lane, values in enumerate(group)]


def _trial(values: Mapping, runs: Sequence[RunResult], metric: str) -> Trial:
    """What runs of the same values, one a seed, amount to."""
    epochs = [run.best_epoch for run in runs]
    failures = [run.failure for run in runs if run.failure]
    lines = [line for run in runs for line in run.history if line["epoch"] == run.best_epoch]
    score, loss = (sum(line[name] for line in lines) / len(runs) for name in (metric, "validation_loss"))
    if not failures and (len(lines) < len(runs) or not math.isfinite(score + loss)):
        failures = ["no epoch has a finite loss on validation"]
    if failures:
        return Trial(values, None, None, epochs, f"failed: {failures[0]}")
    return Trial(values, score, loss, epochs)


def _part_of_search(on_progress: Callable, made: int, group: int, trials: int) -> Callable[[Progress], None]:
    """Tells how far the search is, of a group's progress; its epochs are those of all trials together."""

    def report(progress: Progress):
        epoch = made * progress.epochs + group * progress.epoch
        on_progress(dataclasses.replace(progress, epoch=epoch, epochs=trials * progress.epochs))

    return report
