"""The preprocessing of each task, kept with the runs: new examples are made ready as those of the runs were."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mmjax.data.transforms import preprocessing
from mmjax.types import Task


def folder_of(task: Task, workdir: Path) -> Path:
    """Where a task's preprocessing is kept; `mmjax.data.transforms.preprocessing.load` reads it."""
    return workdir / "preprocessing" / f"{task.name.replace('/', '.')}-{task.fingerprint}"


def keep_preprocessing(tasks: Sequence[Task], workdir: Path):
    """Writes what was fitted for each task, once, whole or not at all; tasks that fitted nothing have none."""
    for task in tasks:
        folder = folder_of(task, workdir)
        if not task.preprocessing or folder.is_dir():
            continue
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix="incomplete.", dir=folder.parent))
        try:
            preprocessing.save(task.preprocessing, beside)
            os.replace(beside, folder)
        except OSError:
            if not folder.is_dir():  # otherwise another launch was faster, with the same content
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
