"""Tasks by name. Importing this is cheap: readers of files are imported when a task is loaded.

A registered name, with a protocol or without, and a tag win over a folder of that path: `./student` is the folder.
"""

import dataclasses
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mmjax.config import DEFAULTS, Config, config_for
from mmjax.data import trimodal
from mmjax.data.avdigits import task as avdigits
from mmjax.data.check import arrays_of, check_task, fingerprint
from mmjax.data.entry import TaskEntry
from mmjax.data.folder.schema import FILE
from mmjax.data.folder.task import is_folder, load_folder
from mmjax.data.handwritten import task as handwritten
from mmjax.data.identity import canonical, content_hash, told_apart, without_zero
from mmjax.data.recipe import entries_of
from mmjax.data.recipes import RECIPES
from mmjax.data.synthetic import task as synthetic
from mmjax.errors import InputError, lookup, nearest
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
        contaminated=handwritten.TMC.contaminated,
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
    if not is_registered(name) and is_folder(name):
        task = dataclasses.replace(load_folder(name, cache_dir), tags=("own",))
        return dataclasses.replace(task, fingerprint=content_hash(task))
    base, _, protocol = ("", "", "") if name in TASKS else name.rpartition("/")
    entry = TASKS[base] if base in TASKS and TASKS[base].protocols else _lookup(TASKS, "task", name)
    how = {"protocol": protocol} if protocol else {}
    task = dataclasses.replace(entry.load(data_dir, cache_dir, **how), tags=entry.tags)
    check_task(task)
    task = dataclasses.replace(task, fingerprint=task.fingerprint or fingerprint(arrays_of(task)))
    return dataclasses.replace(task, fingerprint=content_hash(task))


def load_tasks(
    names: Sequence[str], data_dir: str | None = None, load: Callable[..., Task] = load_task
) -> dict[str, Task]:
    """Tasks of one launch: name -> the task, with a title that no other has.

    Args:
      names: as `tasks_of` gives them.
      data_dir: as `load_task` takes it.
      load: as `load_task`.
    """
    loaded = {name: load(name, data_dir=data_dir) for name in names}
    return dict(zip(loaded, told_apart(loaded), strict=True))


def _lookup(known: Mapping, kind: str, name: str):
    """`lookup`, which tells of a name that can only be a path that it is none of a folder."""
    path = name.startswith(("/", "./", "../", "~")) or ("/" in name and not nearest(name, known, 1))
    if path and name not in known:
        raise InputError(f"there is no folder {name!r}: give one that is there, or a task's name (`mmjax list`)")
    return lookup(known, kind, name)


def is_registered(name: str) -> bool:
    """Whether a task's name is one of TASKS, with a protocol of that task's or without."""
    base, _, protocol = name.rpartition("/")
    return name in TASKS or (base in TASKS and protocol.partition(".")[0] in TASKS[base].protocols)


def defaults_of(name: str) -> Config:
    """The hyper-parameters of a task by its name; a folder's do not depend on where it lies or what it is called."""
    return config_for(name) if is_registered(name) else DEFAULTS


def tasks_of(names: Sequence[str]) -> list[str]:
    """What `--tasks` stands for, each once: names or paths of tasks, or tags, each for all tasks that carry it.

    A folder is known by its absolute path, however it was spelt.

    Raises:
      InputError: for a name that is neither.
    """
    tags = {
        tag: [name for name, entry in TASKS.items() if tag in entry.tags]
        for entry in TASKS.values()
        for tag in entry.tags
    }
    known = tags | {task: [task] for task in TASKS}
    chosen = []
    for name in names:
        base = name.rpartition("/")[0]
        if name in known or is_registered(name):
            if (Path(name) / FILE).is_file():
                logging.warning("%s is the registered name; give ./%s for the folder in this place", name, name)
            chosen += known.get(name, [without_zero(name)])
        elif is_folder(name):
            chosen.append(canonical(name))
        else:  # whose protocol is unknown is said when it is loaded
            chosen += [name] if base in TASKS and TASKS[base].protocols else _lookup(known, "task or tag", name)
    return list(dict.fromkeys(chosen))
