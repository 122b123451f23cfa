"""The runs that the store lacks, trained and kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence

from experiments.cell_runs import (
    Keeping,
    Maker,
    begun_runs,
    group_name,
    incomplete_runs,
    missing_runs,
    remove_checkpoints,
)
from experiments.grid import Cell, Run, is_trained, obstacle, parts_of, runs_of
from experiments.locks import Held, Locks, Lost
from experiments.progress import Reporter
from experiments.store import Store
from mmjax.training.decisions import combine_decisions
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.training.results import Interrupted
from mmjax.types import Task

POLL_SECONDS = 1.0


def execute(
    plan: Sequence[tuple[Task, Cell]],
    seeds: Sequence[int],
    store: Store,
    placement: Placement,
    reporter: Reporter,
    train: Callable = train_cell,
    combine: Callable = combine_decisions,
    *,
    keeping: Keeping = Keeping(),
    stop: Callable[[], bool] = lambda: False,
    wait: Callable[[float], None] = time.sleep,
    evaluate: str = "test",
) -> dict[int, str]:
    """Train what of the plan is not stored yet, a cell at a time.

    A cell is stored when all its seeds are through. One that was stopped goes on from its checkpoint. One that another
    launch is at is put off, until that launch has stored it or is dead.

    Args:
      plan: cells with their tasks, each after those it depends on.
      seeds: of every cell.
      store: where finished runs lie, and go.
      placement: on which devices.
      reporter: is told how far it is.
      train: as `mmjax.training.loop.train_cell`.
      combine: as `mmjax.training.decisions.combine_decisions`.
      keeping: what is kept beside results.
      stop: as `train_cell` takes it.
      wait: as `time.sleep`.
      evaluate: "test", or "validation": then test is not predicted, and another launch may complete the runs.

    Returns:
      Place in the plan -> why that cell has no result; a failure that another attempt may not
      have (no memory left) is here and not in the store.

    Raises:
      Interrupted: because of `stop`.
    """
    maker = Maker(store, placement, reporter, train, combine, keeping, stop, evaluate)
    locks = _locks(store)
    reasons, holders = {}, {}
    left = list(enumerate(plan))
    while left:
        put_off = []
        for place, (task, cell) in left:
            if stop():
                raise Interrupted
            runs = runs_of(cell, task, seeds)
            if reason := obstacle(task, cell):
                reasons[place] = f"not applicable: {reason}"
                reporter.skip(cell.title, reasons[place])
                continue
            try:
                if cell.is_rule and any(part in parts_of(task, cell) for _, (_, part) in put_off):
                    raise Held("its unimodal runs are another launch's")
                if not incomplete_runs(store, runs, evaluate):
                    _tidy(store, runs, locks)
                    reporter.skip(cell.title, "done by another launch" if place in holders else "done before")
                    continue
                with locks.take(group_name(runs)) as lock:
                    reason = maker.make(task, cell, runs, lock)
            except (Held, Lost) as held:
                put_off.append((place, (task, cell)))
                if holders.get(place) != str(held):
                    reporter.put_off(cell.title, str(held))
                holders[place] = str(held)
            else:
                if reason:
                    reasons[place] = reason
        if len(put_off) == len(left):
            wait(POLL_SECONDS)
        left = put_off
    for task, cell in plan:
        if not obstacle(task, cell):
            _tidy(store, runs_of(cell, task, seeds), locks)
    locks.sweep()
    return reasons


def forget(plan: Sequence[tuple[Task, Cell]], seeds: Sequence[int], store: Store):
    """Remove the plan's runs and checkpoints, but not what another launch is training at this moment."""
    for task, cell in plan:
        runs = runs_of(cell, task, seeds)
        with contextlib.suppress(Held), _locks(store).take(group_name(runs)):
            for run in runs:
                store.remove(run)
            remove_checkpoints(store, runs)


def without_parameters(plan: Sequence[tuple[Task, Cell]], seeds: Sequence[int], store: Store) -> int:
    """How many runs of the plan's are trained themselves and finished, and have no parameters beside them."""
    runs = [run for task, cell in plan if is_trained(task, cell) for run in runs_of(cell, task, seeds)]
    done = [stored for run in runs if not store.has_parameters(run) and (stored := store.read(run))]
    return sum(stored.result["failure"] is None for stored in done)


def _tidy(store: Store, runs: Sequence[Run], locks: Locks):
    """Removes checkpoints that a launch left that was killed when it had stored its results, or lost the cell."""
    if begun_runs(store, runs):
        with contextlib.suppress(Held), locks.take(group_name(runs)):
            if not missing_runs(store, begun_runs(store, runs)):
                remove_checkpoints(store, runs)


def _locks(store: Store) -> Locks:
    return Locks(store.root.parent / "locks")
