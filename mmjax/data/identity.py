"""What a task is: its content, and of a folder its absolute place; and what it is called beside others."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePath

import numpy as np

from mmjax.data.folder.schema import FILE
from mmjax.data.folder.task import path_and_protocol
from mmjax.data.transforms.contract import settings_of
from mmjax.types import Task


def canonical(name: str) -> str:
    """One spelling of a folder's task: the folder's absolute path, free of links, and `#` with its protocol.

    Args:
      name: as `mmjax.data.folder.task.load_folder` takes it.
    """
    path, protocol = path_and_protocol(name)
    path = path.parent if path.name == FILE else path
    return "#".join(filter(None, (str(path.resolve()), without_zero(protocol))))


def without_zero(name: str) -> str:
    """A protocol, alone or at a task's name's end, without a number 0, which is what it has without a number."""
    return re.sub(r"\.0+$", "", name)


def content_hash(task: Task) -> str:
    """Sixteen hex digits of what a result and its predictions depend on, from a task that has a fingerprint.

    Beside the arrays, these are the modalities in their order, the target, the classes' names, and what was fitted to
    make the arrays: equal arrays may come from other units, and classes may be renamed.
    """
    digest = hashlib.sha256(task.fingerprint.encode())
    facts = [[dataclasses.asdict(spec) for spec in task.modalities], dataclasses.asdict(task.target), task.class_names]
    for name, fitted in task.preprocessing.items():
        facts.append([name, [settings_of(step) for step in fitted.steps], dataclasses.asdict(fitted.form)])
        for place, state in enumerate(fitted.states):
            for key in sorted(state):
                value = np.asarray(state[key])
                digest.update(f"{name} {place} {key} {value.dtype.str} {value.shape}".encode() + value.tobytes())
    digest.update(json.dumps(facts, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def told_apart(tasks: Mapping[str, Task]) -> list[Task]:
    """The tasks in their order, each with a title that no other has.

    Those whose names differ keep them. Folders of one name are told apart by as much of the ends of their paths as it
    takes: `data (hospitalA/data)`. Names that differ in case alone count as one, since files are named by titles.

    Args:
      tasks: canonical name, as `mmjax.data.tasks_of` gives them -> task.
    """
    same = {}
    for place, task in tasks.items():
        same.setdefault(task.name.casefold(), []).append(place)
    ends = {}
    for places in same.values():
        if len(places) > 1:
            ends |= _ends([place for place in places if PurePath(place).is_absolute()])
    return [
        dataclasses.replace(task, label=f"{task.name} ({ends[place]})") if place in ends else task
        for place, task in tasks.items()
    ]


def _ends(places: Iterable[str]) -> dict[str, str]:
    """Path -> as many of its last parts as no other path ends in, in another case neither if that can be."""
    parts = {place: PurePath(place).parts for place in places}
    longest = max(map(len, parts.values()), default=0)
    found = {}
    for fold in (str.casefold, str):
        for length in range(1, longest + 1):
            ends = {place: "/".join(of_place[-length:]) for place, of_place in parts.items()}
            count = Counter(map(fold, ends.values()))
            found = {place: end for place, end in ends.items() if count[fold(end)] == 1} | found
    return {place: found.get(place, place) for place in parts}
