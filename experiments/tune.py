"""Hyper-parameters by search, the same number of trials for every cell that is trained.

A decision rule is not trained: it combines unimodal cells that were each searched as any other cell.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.grid import Cell, is_trained, parts_of
from experiments.locks import Held, Locks, Lost
from experiments.progress import Reporter
from experiments.search import Search, Tuned, Tuning
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.training.results import Interrupted
from mmjax.types import Task

POLL_SECONDS = 1.0

Plan = Sequence[tuple[Task, Cell]]


def search_plan(
    plan: Plan,
    tuning: Tuning,
    workdir: Path,
    placement: Placement,
    reporter: Reporter,
    train: Callable = train_cell,
    stop: Callable[[], bool] = lambda: False,
    wait: Callable[[float], None] = time.sleep,
):
    """Make the trials that are missing of every cell that is trained, and keep them under the workdir.

    A search that another launch is at is put off, until that launch has ended it or is dead.

    Args:
      plan: cells with their tasks, of the config that was asked for.
      tuning: how.
      workdir: trials are kept in its folder `trials`, a file a cell.
      placement: on which devices.
      reporter: is told how far it is.
      train: as `mmjax.training.loop.train_cell`.
      stop: as `train_cell` takes it; a search that was stopped goes on after its last whole group of trials.
      wait: as `time.sleep`.

    Raises:
      Interrupted: because of `stop`.
    """
    locks, holders = _locks(workdir), {}
    left = _searches(plan, tuning, workdir)
    while left:
        put_off = []
        for search in left:
            title = search.cell.title
            if stop():
                raise Interrupted
            if search.state.chosen:
                reporter.skip(title, "tuned by another launch" if search in holders else "tuned before")
                continue
            try:
                with locks.take(search.name) as lock:
                    reporter.begin(title, f"{tuning.trials} trials")
                    search.run(lock, placement, train, reporter.update, stop)
                    chosen = search.state.chosen.items()
                    reporter.end("tuned to " + ", ".join(f"{name} {value:.3g}" for name, value in chosen))
            except (Held, Lost) as held:
                put_off.append(search)
                if holders.get(search) != str(held):
                    reporter.put_off(title, str(held))
                holders[search] = str(held)
        if len(put_off) == len(left):
            wait(POLL_SECONDS)
        left = put_off
    locks.sweep()


def tuned_plan(plan: Plan, tuning: Tuning, workdir: Path) -> tuple[list[tuple[Task, Cell]], list[Tuned | None]]:
    """The plan with the hyper-parameters that were chosen, as far as searches are through.

    Returns:
      Every cell with its config, a rule with its parts; and how far its search is, None where there is nothing to
      search.
    """
    states = [Search(task, cell, tuning, workdir).state if is_trained(task, cell) else None for task, cell in plan]
    configs = {
        (task.title, cell.fusion, cell.strategy): cell.config.replace(**state.chosen if state else {})
        for (task, cell), state in zip(plan, states, strict=True)
    }
    tuned = []
    for task, cell in plan:
        cell = dataclasses.replace(cell, config=configs[task.title, cell.fusion, cell.strategy])
        if cell.is_rule:
            single = [
                dataclasses.replace(part, config=configs[task.title, part.fusion, part.strategy])
                for part in parts_of(task, cell)
            ]
            own = all(part.config == cell.config for part in single)
            cell = dataclasses.replace(cell, parts=() if own else tuple(single))
        tuned.append((task, cell))
    return tuned, states


def forget_trials(plan: Plan, tuning: Tuning, workdir: Path):
    """Remove the trials of the plan's cells, but not those that another launch is making at this moment."""
    for search in _searches(plan, tuning, workdir):
        with contextlib.suppress(Held), _locks(workdir).take(search.name):
            search.file.remove()


def _searches(plan: Plan, tuning: Tuning, workdir: Path) -> list[Search]:
    return [Search(task, cell, tuning, workdir) for task, cell in plan if is_trained(task, cell)]


def _locks(workdir: Path) -> Locks:
    return Locks(workdir / "locks")
