"""The runs of one cell: trained, combined or counted, and stored."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import jax

from experiments.grid import UNTRAINED, Cell, Run, digest, parts_of
from experiments.locks import Lock
from experiments.run_records import Recorder
from experiments.store import Store, Stored
from mmjax.evaluation.baselines import majority
from mmjax.evaluation.classical import CLASSICAL, fit_classical
from mmjax.evaluation.metrics import evaluate, primary_metric
from mmjax.training.checkpoint import Keep
from mmjax.types import Task

EVALUATED = ("validation", "test")
COSTS = ("parameters", "train_samples_per_second", "inference_samples_per_second")


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


class Maker:
    """Makes the runs of one cell after another."""

    def __init__(self, store, placement, reporter, train, combine, keeping, stop):
        self.store, self.placement, self.reporter = store, placement, reporter
        self.train, self.combine, self.keeping, self.stop = train, combine, keeping, stop
        self.recorder = Recorder(placement)

    def make(self, task: Task, cell: Cell, runs: list[Run], lock: Lock) -> str | None:
        """Makes what is missing of a cell's runs; why there is no result, if it is not in the store."""
        missing = missing_runs(self.store, runs)  # now that no other launch is at it
        if not missing:
            self.reporter.skip(cell.title, "done by another launch")
            return None
        self.reporter.begin(cell.title, f"{len(missing)} seeds")
        self.recorder.begin()
        reason = None
        try:
            if cell.strategy == UNTRAINED:
                self._store(lock, [(run, stored, None) for run, stored in _untrained(task, cell, missing)])
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
            self.recorder.of_training(seeds, result),
        )  # fmt: skip
        remove_checkpoints(self.store, group)
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
            record = self.recorder.of_others(run.seed, [self.store.record(part) for part in single])
            self._store(lock, [(run, _stored(task, run, logits, costs, [], next(iter(failures), None)), None)], record)

    def _store(self, lock: Lock, made: list[tuple[Run, Stored, dict | None]], record: dict | None = None):
        """Keeps runs that are not kept yet, as long as the lock is ours; without a record each gets one of its own."""
        with lock.kept():
            for run, stored, theta in made:
                if self.store.read(run) is None:
                    own = record or self.recorder.of_others(run.seed)
                    self.store.write(run, stored, theta if self.keeping.parameters else None, own)


def missing_runs(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Those that are not stored whole."""
    return [run for run in runs if store.read(run) is None]


def group_name(runs: Sequence[Run]) -> str:
    """A name for runs that differ in nothing but the seed: of their lock, and of their checkpoints."""
    return dataclasses.replace(runs[0], seed=0).name.replace("-seed0-", "-")


def begun_runs(store: Store, runs: Sequence[Run]) -> list[Run]:
    """The runs of the program that checkpoints are kept of, among runs that differ from these in the seed."""
    try:
        seeds = json.loads((_checkpoints(store, runs) / "seeds.json").read_text())
    except (OSError, ValueError):  # there is none, or it was just going to begin
        return []
    return [dataclasses.replace(runs[0], seed=seed) for seed in seeds]


def remove_checkpoints(store: Store, runs: Sequence[Run]):
    """Those of runs that differ from these in nothing but the seed."""
    checkpoints = _checkpoints(store, runs)
    shutil.rmtree(checkpoints, ignore_errors=True)
    with contextlib.suppress(OSError):  # others' may lie beside it
        checkpoints.parent.rmdir()


def _groups(store: Store, runs: list[Run], missing: list[Run]) -> list[list[Run]]:
    """The programs that make the missing runs.

    Seeds of one that was stopped, even while its results were being stored, go on together, so that they are the runs
    that they would have been.
    """
    begun = begun_runs(store, runs)
    if not missing_runs(store, begun):
        remove_checkpoints(store, runs)
        begun = []
    return [group for group in (begun, [run for run in missing if run not in begun]) if group]


def _begin(checkpoints: Path, group: list[Run]):
    checkpoints.mkdir(parents=True, exist_ok=True)
    (checkpoints / "seeds.json").write_text(json.dumps([run.seed for run in group]))


def _untrained(task: Task, cell: Cell, runs: list[Run]) -> Iterator[tuple[Run, Stored]]:
    """The majority's or a classical baseline's; one that draws nothing is fitted once for all seeds."""
    said = None
    for run in runs:
        if cell.fusion not in CLASSICAL:
            said = {s: majority(task.target, task.splits["train"].target, task.splits[s].size) for s in EVALUATED}
        elif said is None or CLASSICAL[cell.fusion].seeded:
            said = fit_classical(cell.fusion, task, run.seed)
        yield run, _stored(task, run, said, dict.fromkeys(COSTS), [], None)


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


def _checkpoints(store: Store, runs: Sequence[Run]) -> Path:
    return store.root.parent / "checkpoints" / group_name(runs)


def _outcome(task: Task, stored: list[Stored | None]) -> str:
    if None in stored:
        return "waits for its unimodal runs"
    failures = [each.result["failure"] for each in stored if each.result["failure"]]
    if failures:
        return f"failed: {failures[0]}"
    metric = primary_metric(task.target)
    return f"{metric} {statistics.mean(each.result['metrics']['test'][metric] for each in stored):.4f}"
