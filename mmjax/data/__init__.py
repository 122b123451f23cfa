"""Tasks by name. Importing this is cheap: readers of files are imported when a task is loaded."""

import dataclasses
import os
from collections.abc import Sequence

from mmjax.data import trimodal
from mmjax.data.avdigits import task as avdigits
from mmjax.data.check import arrays_of, check_task, fingerprint
from mmjax.data.entry import TaskEntry
from mmjax.data.folder.task import is_folder, load_folder
from mmjax.data.handwritten import task as handwritten
from mmjax.data.recipe import entries_of
from mmjax.data.recipes import RECIPES
from mmjax.data.synthetic import task as synthetic
from mmjax.errors import lookup
from mmjax.types import Task

TASKS = {
    "trimodal": TaskEntry(
        summary="medical diagnosis from an image, a note and a recording; generated, exact Bayes accuracy",
        load=trimodal.load,
        kinds={"image": "image", "text": "tokens", "audio": "tokens"},
        target="binary",
        tags=("medicine", "generated", "smoke"),
    ),
    "avdigits": TaskEntry(
        summary="a digit seen and heard, each made hard: a quarter of the image's energy, speech in louder noise",
        load=avdigits.load,
        kinds={"image": "image", "audio": "sequence"},
        target="multiclass",
        tags=("perception", "full"),
        configs=("clean",),
        needs_files=True,
    ),
    "avdigits/clean": TaskEntry(
        summary="a digit seen and heard, both untouched",
        load=avdigits.load_clean,
        kinds={"image": "image", "audio": "sequence"},
        target="multiclass",
        tags=("perception",),
        needs_files=True,
    ),
    **synthetic.entries(),
    **{name: entry for recipe in RECIPES.values() for name, entry in entries_of(recipe).items()},
    "handwritten": dataclasses.replace(entries_of(RECIPES["handwritten"])["handwritten"], configs=("tmc",)),
    "handwritten/tmc": TaskEntry(
        summary=handwritten.TMC.summary,
        load=handwritten.load_tmc,
        kinds={modality: spec.kind for modality, spec in handwritten.TMC.modalities.items()},
        target=handwritten.TMC.target.kind,
        tags=(*handwritten.RECIPE.tags, *handwritten.TMC.tags),
        needs_files=True,
    ),
}


def load_task(name: str, data_dir: str | None = None, cache_dir: str | None = None) -> Task:
    """A task by name, in memory and checked.

    Args:
      name: one of TASKS, or one with a protocol of its entry, as `pie/random_80_20.3`; or the path of a folder with a
        task.yaml, as `mmjax.data.folder.task.load_folder` takes it.
      data_dir: folder of the raw files, only read from; None takes $MMJAX_DATA_DIR, and
        without that the files are downloaded.
      cache_dir: folder of downloads and prepared data; None takes $MMJAX_CACHE_DIR, and
        without that ~/.cache/mmjax.

    Raises:
      InputError: for an unknown name, missing or broken files, or data that break the contract.
    """
    data_dir = data_dir or os.environ.get("MMJAX_DATA_DIR") or None
    cache_dir = cache_dir or os.environ.get("MMJAX_CACHE_DIR") or "~/.cache/mmjax"
    if name not in TASKS and is_folder(name):
        return dataclasses.replace(load_folder(name, cache_dir), tags=("own",))
    base, _, protocol = ("", "", "") if name in TASKS else name.rpartition("/")
    entry = TASKS[base] if base in TASKS and TASKS[base].protocols else lookup(TASKS, "task", name)
    how = {"protocol": protocol} if protocol else {}
    task = dataclasses.replace(entry.load(data_dir, cache_dir, **how), tags=entry.tags)
    check_task(task)
    if task.fingerprint:
        return task
    return dataclasses.replace(task, fingerprint=fingerprint(arrays_of(task)))


def tasks_of(names: Sequence[str]) -> list[str]:
    """What `--tasks` stands for, each once: names or paths of tasks, or tags, each for all tasks that carry it.

    Raises:
      InputError: for a name that is neither.
    """
    tags = {
        tag: [name for name, entry in TASKS.items() if tag in entry.tags]
        for entry in TASKS.values()
        for tag in entry.tags
    }
    chosen = []
    for name in names:
        base = name.rpartition("/")[0]
        known = name in TASKS or is_folder(name) or (base in TASKS and TASKS[base].protocols)
        chosen += [name] if known else lookup(tags | {task: [task] for task in TASKS}, "task or tag", name)
    return list(dict.fromkeys(chosen))
