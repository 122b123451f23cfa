"""The preprocessing of each task, kept with the runs: new examples are made ready as those of the runs were."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mmjax.data.checksums import damage_of, write_checksums
from mmjax.data.sources import reading
from mmjax.data.transforms import preprocessing
from mmjax.data.transforms.preprocessing import Fitted
from mmjax.errors import InputError
from mmjax.file_names import file_name
from mmjax.types import TargetSpec, Task

TARGET = "target.json"


class Kept(NamedTuple):
    """What new examples need of the task that a run was trained on.

    Attributes:
      preprocessing: modality -> its fitted steps, in the task's order.
      target: what is predicted.
      class_names: one a class, or empty.
    """

    preprocessing: Mapping[str, Fitted]
    target: TargetSpec
    class_names: tuple[str, ...]


def folder_of(name: str, fingerprint: str, workdir: Path) -> Path:
    """Where the preprocessing of a task is kept."""
    return workdir / "preprocessing" / f"{file_name(name)}-{fingerprint}"


def load_kept(name: str, fingerprint: str, workdir: Path) -> Kept:
    """What `keep_preprocessing` kept of a task.

    Raises:
      InputError: if nothing was, or it is broken.
    """
    folder = folder_of(name, fingerprint, workdir)
    if not folder.is_dir():
        raise InputError(
            f"{folder} does not exist: task {name!r} has no preprocessing that new examples could go through"
        )
    if damage := damage_of(folder):
        raise InputError(
            f"{folder} is damaged ({damage}): launch task {name!r} with this workdir again, which writes it anew"
        )
    with reading(folder / TARGET):
        facts = json.loads((folder / TARGET).read_text(encoding="utf-8"))
        target, names = TargetSpec(**facts["target"]), tuple(facts["class_names"])
    return Kept(preprocessing.load(folder), target, names)


def keep_preprocessing(tasks: Sequence[Task], workdir: Path):
    """Writes what was fitted for each task, once, whole or not at all; tasks that fitted nothing have none.

    What is damaged is written anew, with a warning.
    """
    for task in tasks:
        folder = folder_of(task.name, task.fingerprint, workdir)
        damage = damage_of(folder) if folder.is_dir() else None
        if not task.preprocessing or (folder.is_dir() and not damage):
            continue
        if damage:
            logging.warning("%s is damaged (%s), and is written anew", folder, damage)
            shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix="incomplete.", dir=folder.parent))
        try:
            preprocessing.save(task.preprocessing, beside)
            facts = {"target": dataclasses.asdict(task.target), "class_names": task.class_names}
            (beside / TARGET).write_text(json.dumps(facts, indent=1), encoding="utf-8")
            write_checksums(beside)
            os.replace(beside, folder)
        except OSError:
            if not folder.is_dir():  # otherwise another launch was faster, with the same content
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
