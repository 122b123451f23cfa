"""A task as a folder: its arrays as .npy files that map at once, and what is known of it as JSON."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np

from mmjax.data.check import arrays_of, check_task, fingerprint
from mmjax.data.transforms import preprocessing
from mmjax.types import SPLITS, Batch, ModalitySpec, TargetSpec, Task

FACTS = "task.json"
_PLAIN = ("name", "class_names", "bayes", "source", "warnings", "contaminated")


def write_task(task: Task, folder: Path) -> None:
    """Writes a task that holds what its specs say into a folder that exists; its fingerprint is computed.

    Raises:
      InputError: as `check_task`.
    """
    check_task(task)
    for path, array in arrays_of(task):
        place = folder / f"{path}.npy"
        place.parent.mkdir(parents=True, exist_ok=True)
        np.save(place, array, allow_pickle=False)
    for split, groups in task.groups.items():
        np.save(folder / split / "groups.npy", groups, allow_pickle=False)
    facts = {name: getattr(task, name) for name in _PLAIN} | {
        "modalities": [dataclasses.asdict(spec) for spec in task.modalities],
        "target": dataclasses.asdict(task.target),
        "fingerprint": fingerprint(itertools.chain(arrays_of(task), _scales_of(task.target))),
    }
    preprocessing.save(task.preprocessing, folder)
    (folder / FACTS).write_text(json.dumps(facts, indent=1), encoding="utf-8")


def read_task(folder: Path) -> Task:
    """What `write_task` wrote; arrays are mapped, read-only."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    modalities = tuple(ModalitySpec(**{**spec, "shape": tuple(spec["shape"])}) for spec in facts["modalities"])
    groups = {split: folder / split / "groups.npy" for split in SPLITS}
    return Task(
        name=facts["name"],
        modalities=modalities,
        target=TargetSpec(**facts["target"]),
        splits={split: _read_split(folder / split, modalities) for split in SPLITS},
        class_names=tuple(facts["class_names"]),
        bayes=facts["bayes"],
        source=facts["source"],
        fingerprint=facts["fingerprint"],
        groups={split: np.load(path) for split, path in groups.items() if path.is_file()},
        preprocessing=preprocessing.load(folder),
        warnings=tuple(facts["warnings"]),
        contaminated=facts["contaminated"],
    )


def _scales_of(target: TargetSpec):
    """What tells a regression's results from those of another scale: the kinds, since the arrays say the rest."""
    if target.scales:
        yield "target/scales", np.array([scale.kind for scale in target.scales])


def _read_split(folder: Path, modalities: tuple[ModalitySpec, ...]) -> Batch:
    def mapped(*parts: str) -> np.ndarray:
        return np.asarray(np.load(folder.joinpath(*parts).with_name(f"{parts[-1]}.npy"), mmap_mode="r"))

    names = [spec.name for spec in modalities]
    return Batch(
        inputs={name: mapped("inputs", name) for name in names},
        lengths={spec.name: mapped("lengths", spec.name) for spec in modalities if spec.has_length},
        present={name: mapped("present", name) for name in names},
        target=mapped("target"),
        weight=mapped("weight"),
    )
