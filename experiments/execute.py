"""The runs that the store lacks, trained and kept."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax

from experiments.grid import UNTRAINED, Cell, Run, digest, obstacle, parts_of, runs_of
from experiments.locks import Held, Lock, Locks, Lost
from experiments.progress import Reporter
from experiments.store import Store, Stored
from mmjax.evaluation.baselines import majority
from mmjax.evaluation.metrics import evaluate, primary_metric
from mmjax.training.checkpoint import Keep
from mmjax.training.decisions import combine_decisions
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.training.results import Interrupted
from mmjax.types import Task

EVALUATED = ("validation", "test")
COSTS = ("parameters", "train_samples_per_second", "inference_samples_per_second")
POLL_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Keeping:
    """What is kept beside results.

    Attributes:
      checkpoints: of a cell that is being trained, the latest so many.
      seconds_between: the least time between two of them.
      parameters: whether a run's best theta stays with its result.
    """

    checkpoints: int = Keep.latest
    seconds_between: float = Keep.seconds_between
    parameters: bool = False


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

    Returns:
      Place in the plan -> why that cell has no result; a failure that another attempt may not
      have (no memory left) is here and not in the store.

    Raises:
      Interrupted: because of `stop`.
    """
    launch = _Launch(store, placement, reporter, train, combine, keeping, stop)
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
                if not _missing(store, runs):
                    _remove_checkpoints(store, runs)  # of a launch that was killed between storing and tidying
                    reporter.skip(cell.title, "done by another launch" if place in holders else "done before")
                    continue
                with locks.take(_group(runs)) as lock:
                    reason = launch.run_cell(task, cell, runs, lock)
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
    locks.sweep()
    return reasons


def forget(plan: Sequence[tuple[Task, Cell]], seeds: Sequence[int], store: Store):
    """Remove the plan's runs and checkpoints, but not what another launch is training at this moment."""
    for task, cell in plan:
        runs = runs_of(cell, task, seeds)
        with contextlib.suppress(Held), _locks(store).take(_group(runs)):
            for run in runs:
                store.remove(run)
            _remove_checkpoints(store, runs)


class _Launch:
    """What is the same for all cells of a plan."""

    def __init__(self, store, placement, reporter, train, combine, keeping, stop):
        self.store, self.placement, self.reporter = store, placement, reporter
        self.train, self.combine, self.keeping, self.stop = train, combine, keeping, stop

    def run_cell(self, task: Task, cell: Cell, runs: list[Run], lock: Lock) -> str | None:
        """Makes what is missing of a cell's runs; why there is no result, if it is not in the store."""
        missing = _missing(self.store, runs)  # now that no other launch is at it
        if not missing:
            self.reporter.skip(cell.title, "done by another launch")
            return None
        self.reporter.begin(cell.title, f"{len(missing)} seeds")
        reason = None
        try:
            if cell.strategy == UNTRAINED:
                self._store(lock, [(run, _majority(task, run), None) for run in missing])
            elif cell.is_rule:
                self._store_rule(task, cell, missing, lock)
            else:
                for group in _groups(self.store, runs, missing):
                    self._train(task, cell, group, lock)
        except jax.errors.JaxRuntimeError as error:
            reason = f"failed: {str(error).splitlines()[0]}"
        self.reporter.end(reason or _outcome(task, [self.store.read(run) for run in runs]))
        return reason

    def _train(self, task: Task, cell: Cell, group: list[Run], lock: Lock):
        """Trains runs as one program, and stores those that are missing."""
        checkpoints = _checkpoints(self.store, group)
        _begin(checkpoints, group)
        keep = Keep(
            checkpoints / "steps",
            digest([run.identity for run in group]),
            self.keeping.checkpoints,
            self.keeping.seconds_between,
        )
        seeds = tuple(run.seed for run in group)
        result = self.train(
            task, cell.fusion, cell.strategy, cell.config, seeds, self.placement, keep, self.reporter.update,
            stop=self.stop,
        )  # fmt: skip
        costs = {name: getattr(result, name) for name in (*COSTS, "compile_seconds")}
        # One seed that fails stops them all.
        failure = next((outcome.failure for outcome in result.runs if outcome.failure), None)
        self._store(
            lock,
            [
                (run, _stored(task, run, outcome.logits, costs | {"best_epoch": outcome.best_epoch}, outcome.history,
                              failure), outcome.theta)
                for run, outcome in zip(group, result.runs, strict=True)
            ],
        )  # fmt: skip
        _remove_checkpoints(self.store, group)
        jax.clear_caches()  # programs hold memory maps, of which a process has not enough for hundreds of cells

    def _store_rule(self, task: Task, cell: Cell, missing: list[Run], lock: Lock):
        """A rule over the unimodal runs of its strategy and seed; its cost is that of all of them."""
        for run in missing:
            single = [dataclasses.replace(run, cell=part) for part in parts_of(task, cell)]
            unimodal = {spec.name: self.store.read(part) for spec, part in zip(task.modalities, single, strict=True)}
            if None in unimodal.values():
                return  # they found no memory, say; another attempt may have them
            failures = [f"{name}: {part.result['failure']}" for name, part in unimodal.items()
                        if part.result["failure"]]  # fmt: skip
            costs = {name: _combined(name, [part.result[name] for part in unimodal.values()]) for name in COSTS}
            logits = {}
            if not failures:
                decisions = {n: {s: part.predictions[f"{s}_logits"] for s in EVALUATED} for n, part in unimodal.items()}
                logits = self.combine(task, cell.fusion, cell.config, decisions)
            self._store(lock, [(run, _stored(task, run, logits, costs, [], next(iter(failures), None)), None)])

    def _store(self, lock: Lock, made: list[tuple[Run, Stored, dict | None]]):
        """Keeps runs that are not kept yet, as long as the lock is ours."""
        with lock.kept():
            for run, stored, theta in made:
                if self.store.read(run) is None:
                    self.store.write(run, stored, theta if self.keeping.parameters else None)


def _missing(store: Store, runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if store.read(run) is None]


def _groups(store: Store, runs: list[Run], missing: list[Run]) -> list[list[Run]]:
    """The programs that make the missing runs.

    Seeds of one that was stopped, even while its results were being stored, go on together, so that they are the runs
    that they would have been.
    """
    begun = [dataclasses.replace(runs[0], seed=seed) for seed in _begun(_checkpoints(store, runs))]
    if not any(run in begun for run in missing):
        _remove_checkpoints(store, runs)
        begun = []
    return [group for group in (begun, [run for run in missing if run not in begun]) if group]


def _begin(checkpoints: Path, group: list[Run]):
    checkpoints.mkdir(parents=True, exist_ok=True)
    (checkpoints / "seeds.json").write_text(json.dumps([run.seed for run in group]))


def _begun(checkpoints: Path) -> list[int]:
    """The seeds of the program whose checkpoints these are."""
    try:
        return json.loads((checkpoints / "seeds.json").read_text())
    except (OSError, ValueError):  # there is none, or it was just going to begin
        return []


def _majority(task: Task, run: Run) -> Stored:
    logits = {s: majority(task.target, task.splits["train"].target, task.splits[s].size) for s in EVALUATED}
    return _stored(task, run, logits, dict.fromkeys(COSTS), [], None)


def _stored(task: Task, run: Run, logits: dict, costs: dict, history: list, failure: str | None) -> Stored:
    """A run as it is kept; metrics, of test too, are computed here and nowhere else."""
    predictions = {f"{split}_target": task.splits[split].target for split in EVALUATED}
    metrics = {}
    if failure is None:
        predictions |= {f"{split}_logits": logits[split] for split in EVALUATED}
        metrics = {split: evaluate(task.target, logits[split], task.splits[split].target) for split in EVALUATED}
    return Stored({"name": run.name, "metrics": metrics, "failure": failure} | costs, history, predictions)


def _combined(name: str, values: list) -> float | None:
    """The cost of models that all have to run: parameters add up, and so do the seconds of a sample."""
    if None in values:
        return None
    return sum(values) if name == "parameters" else 1 / sum(1 / value for value in values)


def _group(runs: Sequence[Run]) -> str:
    """A name for runs that differ in nothing but the seed: of their lock, and of their checkpoints."""
    return dataclasses.replace(runs[0], seed=0).name.replace("-seed0-", "-")


def _locks(store: Store) -> Locks:
    return Locks(store.root.parent / "locks")


def _checkpoints(store: Store, runs: Sequence[Run]) -> Path:
    return store.root.parent / "checkpoints" / _group(runs)


def _remove_checkpoints(store: Store, runs: Sequence[Run]):
    checkpoints = _checkpoints(store, runs)
    shutil.rmtree(checkpoints, ignore_errors=True)
    with contextlib.suppress(OSError):  # others' may lie beside it
        checkpoints.parent.rmdir()


def _outcome(task: Task, stored: list[Stored | None]) -> str:
    if None in stored:
        return "waits for its unimodal runs"
    failures = [each.result["failure"] for each in stored if each.result["failure"]]
    if failures:
        return f"failed: {failures[0]}"
    metric = primary_metric(task.target)
    return f"{metric} {statistics.mean(each.result['metrics']['test'][metric] for each in stored):.4f}"
