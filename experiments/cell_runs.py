"""The runs of one cell: trained, combined or counted, and stored."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import shutil
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import jax
import numpy as np

from benchmarks.tables import RATES
from experiments.grid import UNTRAINED, Cell, Run, digest, is_trained, parts_of
from experiments.locks import Lock
from experiments.progress import Reporter
from experiments.run_records import Recorder
from experiments.store import Store, Stored
from mmjax.disk import writing
from mmjax.evaluation.baselines import majority
from mmjax.evaluation.classical import CLASSICAL, fit_classical
from mmjax.evaluation.metrics import evaluate, primary_metric
from mmjax.interrupts import deferred
from mmjax.training.checkpoint import Keep
from mmjax.training.parallel import Placement
from mmjax.training.results import RunResult
from mmjax.types import Task

EVALUATIONS = {"test": ("validation", "test"), "validation": ("validation",)}  # what is predicted of each
COSTS = ("parameters", *RATES)


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


class Disagreement(Exception):
    """A finished run cannot be completed: what it says is not what it said, or is no number."""


class Maker:
    """Makes the runs of one cell after another; `evaluate`, one of EVALUATIONS, is when a run is complete.

    Runs that are to be completed later keep their parameters.
    """

    def __init__(
        self,
        store: Store,
        placement: Placement,
        reporter: Reporter,
        train: Callable,
        combine: Callable,
        keeping: Keeping,
        stop: Callable[[], bool],
        evaluate: str = "test",
    ):
        self.store, self.placement, self.reporter = store, placement, reporter
        self.combine, self.stop = combine, stop
        self.evaluate, self.splits = evaluate, EVALUATIONS[evaluate]
        self.train = train if evaluate == "test" else partial(train, splits=self.splits)
        self.keeping = dataclasses.replace(keeping, parameters=keeping.parameters or evaluate != "test")
        self.recorder = Recorder(placement)

    def make(self, task: Task, cell: Cell, runs: list[Run], lock: Lock) -> str | None:
        """Makes what is missing of a cell's runs; why there is no result, if it is not in the store."""
        missing = incomplete_runs(self.store, runs, self.evaluate)  # now that no other launch is at it
        if not missing:
            self.reporter.skip(cell.title, "done by another launch")
            return None
        finished = self._finished(runs, lock) if is_trained(task, cell) else {}
        self.reporter.begin(cell.title, _work(missing, finished))
        reason = None
        try:
            if cell.strategy == UNTRAINED:
                self._store_untrained(task, cell, missing, lock)
            elif cell.is_rule:
                self._store_rule(task, cell, missing, lock)
            else:
                for group in _groups(self.store, runs, missing_runs(self.store, runs)):
                    with deferred():  # what is trained is stored too
                        self._train(task, cell, group, lock)
                if incomplete_runs(self.store, runs, self.evaluate):
                    with deferred():
                        self._complete(task, cell, [run for run in runs if run.seed in finished], finished, lock)
        except (jax.errors.JaxRuntimeError, MemoryError) as error:
            reason = f"failed: {(str(error).splitlines() or ['not enough memory'])[0]}"
        except Disagreement as error:
            reason = f"failed: {error}"
        self.reporter.end(reason or _outcome(task, [self.store.read(run) for run in runs], self.evaluate))
        return reason

    def _finished(self, runs: list[Run], lock: Lock) -> dict[int, Path]:
        """Seeds of runs that are trained, with the folders of their parameters.

        One that lacks test and whose parameters are gone or damaged is forgotten: it has to be trained again.
        """
        finished = {run.seed: self.store.parameters(run) for run in runs if self.store.read(run)}
        with lock.kept():
            for run in incomplete_runs(self.store, runs, self.evaluate):
                if finished.get(run.seed, run) is None:
                    logging.warning(
                        "%s is trained again: it lacks test, and its parameters are gone or damaged", run.name
                    )
                    self.store.remove(run)
        return {seed: folder for seed, folder in finished.items() if folder}

    def _complete(self, task: Task, cell: Cell, runs: list[Run], finished: Mapping[int, Path], lock: Lock):
        """Predicts with parameters that were kept, by seed; nothing is trained.

        All seeds at once, also those that lack nothing: a program of fewer may round otherwise.
        """
        self.recorder.begin()
        seeds = tuple(run.seed for run in runs)
        with lost_if_taken_over(lock):
            result = self.train(
                task, cell.fusion, cell.strategy, cell.config, seeds, self.placement, None, self.reporter.update,
                stop=self.stop, splits=self.splits, finished=tuple(str(finished[seed]) for seed in seeds),
            )  # fmt: skip
        missing = incomplete_runs(self.store, runs, self.evaluate)
        said = [(run, outcome.logits) for run, outcome in zip(runs, result.runs, strict=True) if run in missing]
        finite = [(run, logits) for run, logits in said if np.isfinite(logits["validation"]).all()]
        completed = [(run, _stored(task, run, logits, {}, [], None), None) for run, logits in finite]
        self._store(lock, completed, self.recorder.of_training(seeds, result))
        jax.clear_caches()  # as after training
        if len(finite) < len(said):
            raise Disagreement("what it predicts of validation is not finite, though it was")

    def _train(self, task: Task, cell: Cell, group: list[Run], lock: Lock):
        """Trains runs as one program, and stores those that are missing."""
        self.recorder.begin()
        checkpoints = _checkpoints(self.store, group)
        _begin(checkpoints, group)
        keep = Keep(
            checkpoints / "steps",
            digest([run.identity for run in group]),
            self.keeping.checkpoints,
            self.keeping.seconds_between,
        )
        seeds = tuple(run.seed for run in group)
        with lost_if_taken_over(lock):
            result = self.train(
                task, cell.fusion, cell.strategy, cell.config, seeds, self.placement, keep, self._update_if_ours(lock),
                stop=self.stop,
            )  # fmt: skip
        costs = {name: getattr(result, name) for name in (*COSTS, "compile_seconds")}
        self._store(
            lock,
            [
                (run, _stored(task, run, outcome.logits, costs | _epochs(outcome), outcome.history, outcome.failure),
                 outcome.theta)
                for run, outcome in zip(group, result.runs, strict=True)
            ],
            self.recorder.of_training(seeds, result),
        )  # fmt: skip
        remove_checkpoints(self.store, group)
        jax.clear_caches()  # programs hold memory maps, of which a process has not enough for hundreds of cells

    def _update_if_ours(self, lock: Lock) -> Callable:
        """Tells the reporter; raises Lost before a checkpoint is saved among another launch's."""

        def update(progress):
            lock.check()
            self.reporter.update(progress)

        return update

    def _store_untrained(self, task: Task, cell: Cell, runs: list[Run], lock: Lock):
        """The majority's or a classical baseline's; one that draws nothing is fitted once for all seeds."""
        said = None
        for run in runs:
            self.recorder.begin()
            if cell.fusion not in CLASSICAL:
                said = {s: majority(task.target, task.splits["train"].target, task.splits[s].size) for s in self.splits}
            elif said is None or CLASSICAL[cell.fusion].seeded:
                said = fit_classical(cell.fusion, task, run.seed, self.splits)
            stored = _stored(task, run, said, dict.fromkeys((*COSTS, "epochs_trained")), [], None)
            self._store(lock, [(run, stored, None)], self.recorder.of_others(run.seed))

    def _store_rule(self, task: Task, cell: Cell, missing: list[Run], lock: Lock):
        """A rule over the unimodal runs of its strategy and seed; its cost is that of all of them.

        What it is kept to say of validation is cross-fitted where it is fitted (`combine_decisions`).
        """
        for run in missing:
            self.recorder.begin()
            single = [dataclasses.replace(run, cell=part) for part in parts_of(task, cell)]
            unimodal = {spec.name: self.store.read(part) for spec, part in zip(task.modalities, single, strict=True)}
            if not all(part and part.is_complete(self.evaluate) for part in unimodal.values()):
                return  # they found no memory, say; another attempt may have them
            failures = {split: _failure_of(unimodal, split) for split in self.splits}
            costs = {name: _combined(name, [part.result[name] for part in unimodal.values()]) for name in COSTS}
            # An epoch of a rule is one of each of its models, which train side by side.
            costs["epochs_trained"] = max(part.result["epochs_trained"] for part in unimodal.values())
            splits, logits = [split for split in self.splits if not failures[split]], {}
            if splits:
                decisions = {n: {s: part.predictions[f"{s}_logits"] for s in splits} for n, part in unimodal.items()}
                logits = self.combine(task, cell.fusion, cell.config, decisions)
            record = self.recorder.of_others(run.seed, [self.store.record(part) for part in single])
            stored = _stored(task, run, logits, costs, [], failures["validation"], failures.get("test"))
            self._store(lock, [(run, stored, None)], record)

    def _store(self, lock: Lock, made: list[tuple[Run, Stored, dict | None]], record: dict):
        """Keeps runs that are not kept yet, and completes those that lack test, as long as the lock is ours."""
        with lock.kept():
            for run, stored, theta in made:
                kept = self.store.read(run)
                if kept is None:
                    self.store.write(run, stored, theta if self.keeping.parameters else None, record)
                elif not kept.is_complete(self.evaluate) and stored.is_complete(self.evaluate):
                    _check_same(kept, stored)
                    self.store.complete(run, stored, record)


def diverged(stored: Sequence[Stored], split: str) -> str:
    """How many of a cell's runs have no figures of a split, where not all have none."""
    return f"{sum(run.failure(split) is not None for run in stored)} of {len(stored)} seeds diverged"


def logits_of(task: Task, stored: Stored, split: str) -> np.ndarray:
    """What a run says of a split [n, K]; one that diverged counts as the majority, since survivors alone flatter."""
    if stored.failure(split) is None:
        return stored.predictions[f"{split}_logits"]
    return majority(task.target, task.splits["train"].target, task.splits[split].size)


def metrics_of(task: Task, stored: Stored, split: str) -> dict[str, float]:
    """The metrics of a run's `logits_of`."""
    if stored.failure(split) is None:
        return stored.result["metrics"][split]
    return evaluate(task.target, logits_of(task, stored, split), task.splits[split].target)


@contextlib.contextmanager
def lost_if_taken_over(lock: Lock) -> Iterator[None]:
    """A context that raises Lost in place of what comes of another launch having taken the lock over."""
    try:
        yield
    except Exception:
        lock.check()
        raise


def missing_runs(store: Store, runs: Sequence[Run]) -> list[Run]:
    """Those that are not stored whole."""
    return [run for run in runs if store.read(run) is None]


def incomplete_runs(store: Store, runs: Sequence[Run], split: str) -> list[Run]:
    """Those that are not stored whole, or lack what is to be evaluated."""
    stored = [(run, store.read(run)) for run in runs]
    return [run for run, each in stored if each is None or not each.is_complete(split)]


def _work(missing: Sequence[Run], finished: Mapping[int, Path]) -> str:
    """How many of the missing seeds have to be trained, and how many lack test alone."""
    completed = sum(run.seed in finished for run in missing)
    trained = len(missing) - completed
    seeds = f"{trained} seed{'s' * (trained != 1)}"
    if not completed:
        return seeds
    test = f"test of {completed} seed{'s' * (completed != 1)} trained before"
    return f"{seeds}, and {test}" if trained else test


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
    with writing(checkpoints):
        (checkpoints / "seeds.json").write_text(json.dumps([run.seed for run in group]))


def _check_same(kept: Stored, again: Stored):
    """Refuses to complete a run with what is not its own.

    On the machine that stored it, decisions on validation come again bit for bit. Another may round otherwise, in
    bfloat16 at the third digit; other parameters, data or versions of a library are further off.

    Raises:
      Disagreement: if they are.
    """
    before, now = kept.predictions["validation_logits"], again.predictions["validation_logits"]
    scale = np.max(np.abs(before), initial=0.0, where=np.isfinite(before))
    if not np.allclose(now, before, rtol=1e-2, atol=1e-2 * scale, equal_nan=True):
        raise Disagreement("decides otherwise on validation than when it was trained; --noresume trains it again")


def _failure_of(unimodal: Mapping[str, Stored], split: str) -> str | None:
    """Why a rule over these runs has no figures of a split, or None."""
    return next((f"{name}: {failure}" for name, run in unimodal.items() if (failure := run.failure(split))), None)


def _stored(
    task: Task,
    run: Run,
    logits: dict,
    costs: dict,
    history: list,
    failure: str | None,
    test_failure: str | None = None,
) -> Stored:
    """A run as it is kept; metrics, of test too, are computed here and nowhere else.

    Where what it predicts of test is not finite, test alone has failed: what validation says, by which fusions are
    chosen, is the same whether or when test is predicted.
    """
    predictions = {f"{split}_target": task.splits[split].target for split in (logits or ("validation",))}
    result = {"name": run.name, "metrics": {}, "failure": failure} | costs
    if "test" in logits and not np.isfinite(logits["test"]).all():
        test_failure = f"what seed {run.seed} predicts of test is not finite"
        logits = {split: values for split, values in logits.items() if split != "test"}
    if failure is None:
        if test_failure:
            predictions["test_target"] = task.splits["test"].target
            result["test_failure"] = test_failure
        for split, values in logits.items():
            predictions[f"{split}_logits"] = values
            result["metrics"][split] = evaluate(task.target, values, task.splits[split].target)
    return Stored(result, history, predictions)


def _epochs(outcome: RunResult) -> dict[str, int]:
    return {"best_epoch": outcome.best_epoch, "epochs_trained": outcome.epochs_trained}


def _combined(name: str, values: list) -> float | None:
    """The cost of models that all have to run: parameters add up, and so do the seconds of a sample."""
    if None in values:
        return None
    return sum(values) if name == "parameters" else 1 / sum(1 / value for value in values)


def _checkpoints(store: Store, runs: Sequence[Run]) -> Path:
    return store.root.parent / "checkpoints" / group_name(runs)


def _outcome(task: Task, stored: list[Stored | None], split: str) -> str:
    if not all(each and each.is_complete(split) for each in stored):
        return "waits for its unimodal runs"
    failures = [failure for each in stored if (failure := each.failure(split))]
    if len(failures) == len(stored):
        return f"failed: {failures[0]}"
    metric = primary_metric(task.target)
    value = statistics.mean(metrics_of(task, each, split)[metric] for each in stored)
    score = f"{metric} {value:.4f}" if split == "test" else f"{split} {metric} {value:.4f}"
    return f"{score}, {diverged(stored, split)}, which count as the majority" if failures else score
