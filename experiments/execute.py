"""The runs that the store lacks, trained and kept."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import statistics
from collections.abc import Callable, Sequence

import jax

from experiments.grid import UNTRAINED, Cell, Run, digest, obstacle, parts_of, runs_of
from experiments.progress import Reporter
from experiments.store import Store, Stored
from mmjax.evaluation.baselines import majority
from mmjax.evaluation.metrics import evaluate, primary_metric
from mmjax.training.decisions import combine_decisions
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.types import Task

EVALUATED = ("validation", "test")
COSTS = ("parameters", "train_samples_per_second", "inference_samples_per_second")


def execute(
    plan: Sequence[tuple[Task, Cell]],
    seeds: Sequence[int],
    store: Store,
    placement: Placement,
    reporter: Reporter,
    train: Callable = train_cell,
    combine: Callable = combine_decisions,
) -> dict[int, str]:
    """Train what of the plan is not stored yet, a cell at a time.

    A cell is stored when all its seeds are through. One that was stopped goes on from its checkpoint.

    Args:
      plan: cells with their tasks, each after those it depends on.
      seeds: of every cell.
      store: where finished runs lie, and go.
      placement: on which devices.
      reporter: is told how far it is.
      train: as `mmjax.training.loop.train_cell`.
      combine: as `mmjax.training.decisions.combine_decisions`.

    Returns:
      Place in the plan -> why that cell has no result; a failure that another attempt may not
      have (no memory left) is here and not in the store.
    """
    reasons = {}
    for place, (task, cell) in enumerate(plan):
        runs = runs_of(cell, task, seeds)
        missing = [run for run in runs if store.read(run) is None]
        if reason := obstacle(task, cell):
            reasons[place] = f"not applicable: {reason}"
            reporter.skip(cell.title, reasons[place])
            continue
        if not missing:
            reporter.skip(cell.title, "done before")
            continue
        reporter.begin(cell.title, f"{len(missing)} seeds")
        try:
            if cell.strategy == UNTRAINED:
                _store_majority(task, missing, store)
            elif cell.is_rule:
                _store_rule(task, missing, store, combine)
            else:
                _store_trained(task, cell, runs, missing, store, placement, reporter, train)
        except jax.errors.JaxRuntimeError as error:
            reasons[place] = f"failed: {str(error).splitlines()[0]}"
        reporter.end(reasons.get(place) or _outcome(task, [store.read(run) for run in runs]))
    return reasons


def forget(plan: Sequence[tuple[Task, Cell]], seeds: Sequence[int], store: Store):
    """Remove the plan's runs and checkpoints."""
    for task, cell in plan:
        runs = runs_of(cell, task, seeds)
        for run in runs:
            store.remove(run)
        shutil.rmtree(_checkpoints(store, runs), ignore_errors=True)


def _store_trained(task, cell, runs, missing, store, placement, reporter, train):
    # Seeds of one program that was stopped while its results were being stored go on together, from
    # its last checkpoint, so that they are the runs that they would have been.
    trained = runs if _checkpoints(store, runs).exists() else missing
    checkpoints = _checkpoints(store, trained)
    seeds = tuple(run.seed for run in trained)
    result = train(task, cell.fusion, cell.strategy, cell.config, seeds, placement, checkpoints, reporter.update)
    costs = {name: getattr(result, name) for name in (*COSTS, "compile_seconds")}
    # One seed that fails stops them all.
    failure = next((outcome.failure for outcome in result.runs if outcome.failure), None)
    for run, outcome in zip(trained, result.runs, strict=True):
        if run in missing:
            facts = costs | {"best_epoch": outcome.best_epoch}
            store.write(run, _stored(task, run, outcome.logits, facts, outcome.history, failure))
    shutil.rmtree(checkpoints, ignore_errors=True)
    with contextlib.suppress(OSError):  # others' checkpoints may lie beside it
        checkpoints.parent.rmdir()
    jax.clear_caches()  # programs hold memory maps, of which a process has not enough for hundreds of cells


def _store_rule(task, missing, store, combine):
    """A rule over the unimodal runs of its strategy and seed; its cost is that of all of them."""
    for run in missing:
        cell = run.cell
        single = [dataclasses.replace(run, cell=part) for part in parts_of(task, cell)]
        unimodal = {spec.name: store.read(part) for spec, part in zip(task.modalities, single, strict=True)}
        if None in unimodal.values():
            return  # they found no memory, say; another attempt may have them
        failures = [f"{name}: {part.result['failure']}" for name, part in unimodal.items() if part.result["failure"]]
        costs = {name: _combined(name, [part.result[name] for part in unimodal.values()]) for name in COSTS}
        logits = {}
        if not failures:
            decisions = {n: {s: part.predictions[f"{s}_logits"] for s in EVALUATED} for n, part in unimodal.items()}
            logits = combine(task, cell.fusion, cell.config, decisions)
        store.write(run, _stored(task, run, logits, costs, [], next(iter(failures), None)))


def _store_majority(task, missing, store):
    for run in missing:
        logits = {s: majority(task.target, task.splits["train"].target, task.splits[s].size) for s in EVALUATED}
        store.write(run, _stored(task, run, logits, dict.fromkeys(COSTS), [], None))


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


def _checkpoints(store: Store, runs: Sequence[Run]):
    """Where these runs, trained as one program, keep their checkpoint."""
    return store.root.parent / "checkpoints" / digest([run.identity for run in runs])


def _outcome(task: Task, stored: list[Stored | None]) -> str:
    if None in stored:
        return "waits for its unimodal runs"
    failures = [each.result["failure"] for each in stored if each.result["failure"]]
    if failures:
        return f"failed: {failures[0]}"
    metric = primary_metric(task.target)
    return f"{metric} {statistics.mean(each.result['metrics']['test'][metric] for each in stored):.4f}"
