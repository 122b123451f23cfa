"""What each launch was about, kept under the workdir: with the runs, all that tables and reports are made of."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.environment import command_line
from experiments.grid import Cell, digest, runs_of
from experiments.locks import Held, Locks
from experiments.results import Row
from experiments.search import Tuned, Tuning
from experiments.store import Store, Stored, write_whole
from mmjax.config import Config
from mmjax.errors import InputError, lookup
from mmjax.types import Batch, ModalitySpec, TargetSpec, Task

FOLDER = "launches"
LARGE = ("splits", "groups", "preprocessing")  # fields of a Task that hold arrays
OF_STORE = ("runs", "records")  # fields of a Row that the store has
POLL_SECONDS = 0.05
TOLD_SECONDS = 5.0  # after which a user is told what is waited for
GIVEN_UP_SECONDS = 300.0  # longer than an owner that is dead keeps its lock, on whatever machine it was


class KeptRun(NamedTuple):
    """A run by the name of its folder alone, for the store to read, whatever the version of the code is by now."""

    name: str


def keep_launch(rows: Sequence[Row], seeds: Sequence[int], workdir: Path):
    """Writes what a launch is about, in place of an equal one's.

    Args:
      rows: as far as they are.
      seeds: of every row.
      workdir: gets a file in its folder `launches`.
    """
    tasks = list({row.task.title: row.task for row in rows}.values())
    titles = [task.title for task in tasks]
    told = [
        _row(row) | {
            "task": titles.index(row.task.title),
            "runs": [run.name for run in runs_of(row.cell, row.task, seeds)],
        }
        for row in rows
    ]  # fmt: skip
    name = digest([titles, [each["runs"] for each in told]])
    content = {"command": command_line(), "time": time.time(), "tasks": list(map(_facts, tasks)), "rows": told}
    path = workdir / FOLDER / f"{name}.json"
    with _taken(Locks(workdir / "locks")):  # an equal launch may be at it
        path.parent.mkdir(exist_ok=True)
        write_whole(path, json.dumps(content) + "\n")


def read_launch(workdir: Path, name: str | None = None) -> list[Row]:
    """The rows of a launch as the store has them now; no data are read, and nothing is trained.

    Args:
      workdir: of the launch.
      name: of its file in `launches`, without the ending; None takes the last launch.

    Raises:
      InputError: if there is none, or it cannot be read by this version.
    """
    files = {path.stem: path for path in (workdir / FOLDER).glob("*.json")}
    if not files:
        raise InputError(f"--workdir={workdir} has no launch to report: give the workdir of one that trained something")
    if name is not None:
        lookup(files, "launch", name)
    kept = {each: _read(path) for each, path in files.items() if name in (None, each)}
    name = max(kept, key=lambda each: kept[each]["time"])
    try:
        return _rows(kept[name], Store(workdir))
    except (KeyError, TypeError, IndexError) as error:
        raise InputError(
            f"{files[name]} was written by another version of mmjax ({error!r}): "
            f"repeat its command, {kept[name]['command']}"
        ) from error


@contextlib.contextmanager
def _taken(locks: Locks, wait: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """A context in which the lock of launches' files is held; what it waits for is told after some seconds.

    Raises:
      InputError: if it is still held after GIVEN_UP_SECONDS; writing a file takes a moment.
    """
    with contextlib.ExitStack() as held:
        for attempt in range(round(GIVEN_UP_SECONDS / POLL_SECONDS)):
            try:
                held.enter_context(locks.take(FOLDER))
                break
            except Held as other:
                reason = str(other)
            if attempt == round(TOLD_SECONDS / POLL_SECONDS):
                logging.warning("waits for the lock %s: %s", locks.folder / f"{FOLDER}.json", reason)
            wait(POLL_SECONDS)
        else:
            raise InputError(
                f"the lock {locks.folder / FOLDER}.json has been {reason} for {GIVEN_UP_SECONDS:.0f} seconds: end that "
                "process if it hangs, and repeat the command, which goes on from what is stored"
            )
        yield


def _rows(content: dict, store: Store) -> list[Row]:
    """The rows of a launch's file, with what the store has of them."""
    runs = [[KeptRun(name) for name in row["runs"]] for row in content["rows"]]
    stored = [tuple(map(store.read, of_row)) for of_row in runs]
    of_task: dict[int, list[Stored]] = {}
    for row, of_row in zip(content["rows"], stored, strict=True):
        of_task.setdefault(row["task"], []).extend(filter(None, of_row))
    tasks = [_task(facts, of_task[place]) for place, facts in enumerate(content["tasks"])]
    rows = []
    for row, names, of_row in zip(content["rows"], runs, stored, strict=True):
        of_store = {"runs": of_row, "records": tuple(map(store.record, names))}
        rows.append(Row(**_fields(row) | of_store | {"task": tasks[row["task"]]}))
    return rows


def _read(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return content | {"time": float(content["time"]), "command": str(content["command"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no launch's file ({error}): remove it, and repeat the launch") from error


def _row(row: Row) -> dict:
    """A row without its task and what the store has."""
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    plain = {name: value for name, value in fields.items() if name not in ("task", *OF_STORE)}
    plain["cell"] = dataclasses.asdict(row.cell)
    if row.tuned:
        plain["tuned"] = row.tuned._asdict() | {"tuning": dataclasses.asdict(row.tuned.tuning)}
    return plain


def _fields(plain: dict) -> dict:
    """What `_row` made plain."""
    tuned, budget = plain["tuned"], plain["budget"]
    if tuned:
        tuning = Tuning(**tuned["tuning"] | {"fields": tuple(tuned["tuning"]["fields"])})
        tuned = Tuned(**tuned | {"tuning": tuning})
    return plain | {"cell": _cell(plain["cell"]), "tuned": tuned, "budget": budget and tuple(budget)}


def _cell(plain: dict) -> Cell:
    return Cell(**plain | {"config": Config(**plain["config"]), "parts": tuple(map(_cell, plain["parts"]))})


def _facts(task: Task) -> dict:
    """A task without its arrays, but for what figures and footers need: the usual target, and groups."""
    facts = {field.name: getattr(task, field.name) for field in dataclasses.fields(task) if field.name not in LARGE}
    train = task.splits["train"].target
    return facts | {
        "modalities": [dataclasses.asdict(spec) for spec in task.modalities],
        "target": dataclasses.asdict(task.target),
        "sizes": {split: batch.size for split, batch in task.splits.items()},
        "train_target": {"dtype": train.dtype.name, "values": train.tolist()},
        "groups": {split: of_split.tolist() for split, of_split in task.groups.items()},
    }


def _task(facts: dict, stored: Iterable[Stored]) -> Task:
    """The task of facts, with the targets that its runs were judged by, and no inputs."""
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    train, sizes = plain.pop("train_target"), plain.pop("sizes")
    targets = {"train_target": np.array(train["values"], train["dtype"])}
    targets |= {name: array for run in stored for name, array in run.predictions.items() if name.endswith("_target")}
    nothing = targets["train_target"][:0]  # of a split that no run was judged by
    splits = {
        split: Batch({}, {}, {}, targets.get(f"{split}_target", nothing), np.ones(size, np.float32))
        for split, size in sizes.items()
    }
    return Task(**plain | {
        "modalities": tuple(ModalitySpec(**spec | {"shape": tuple(spec["shape"])}) for spec in facts["modalities"]),
        "target": TargetSpec(**facts["target"]),
        "splits": splits,
        "groups": {split: np.array(of_split) for split, of_split in facts["groups"].items()},
    })  # fmt: skip
