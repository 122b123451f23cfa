"""What every task must hold before anything trains on it, and the hash of its arrays."""

import hashlib
from collections.abc import Iterable

import numpy as np

from mmjax.errors import InputError, shown
from mmjax.types import SPLITS, Batch, ModalitySpec, TargetSpec, Task, check_modality_names


def check_task(task: Task) -> None:
    """Refuses a task whose arrays do not hold what its specs say.

    Raises:
      InputError: naming task, split, modality or field, row and value.
    """
    names = [spec.name for spec in task.modalities]
    if len(names) < 2:
        raise InputError(f"task {task.name!r}: modalities {', '.join(names)} must be two or more")
    check_modality_names(names)
    if tuple(task.splits) != SPLITS:
        raise InputError(f"task {task.name!r}: splits {', '.join(task.splits)} must be {', '.join(SPLITS)}")
    for split, batch in task.splits.items():
        where = f"task {task.name!r}, split {split!r}"
        _check_fields(where, task.modalities, batch)
        for spec in task.modalities:
            _check_modality(f"{where}, modality {spec.name!r}", spec, batch)
        _check_target(where, task.target, batch)
    if task.target.kind in ("binary", "multiclass"):
        counts = np.bincount(task.splits["train"].target, minlength=task.target.classes)
        if not counts.all():
            label = int(np.flatnonzero(counts == 0)[0])
            named = shown(task.class_names[label]) if task.class_names else label
            raise InputError(
                f"task {task.name!r}, split 'train': no example of class {named}; every class must occur in train, so "
                "give more examples of it (in more groups, where there are groups), or leave it out"
            )


def fingerprint(arrays: Iterable[tuple[str, np.ndarray]]) -> str:
    """Sixteen hex digits of the SHA-256 of named arrays: their names, dtypes, shapes and bytes."""
    digest = hashlib.sha256()
    for name, array in arrays:
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def arrays_of(task: Task) -> Iterable[tuple[str, np.ndarray]]:
    """Every array of a task under its path: `train/inputs/image`, `test/target`."""
    for split, batch in task.splits.items():
        for field, value in batch._asdict().items():
            if isinstance(value, np.ndarray):
                yield f"{split}/{field}", value
            else:
                yield from ((f"{split}/{field}/{name}", value[name]) for name in sorted(value))


def _check_fields(where: str, modalities: tuple[ModalitySpec, ...], batch: Batch) -> None:
    names = {spec.name for spec in modalities}
    expected = {"inputs": names, "present": names, "lengths": {spec.name for spec in modalities if spec.has_length}}
    for field, keys in expected.items():
        found = set(getattr(batch, field))
        if found != keys:
            raise InputError(f"{where}: {field} has {sorted(found)}, and must have {sorted(keys)}")
    if batch.size < 1:
        raise InputError(f"{where}: holds no example; give at least one")
    _check_array(f"{where}, field 'weight'", batch.weight, (batch.size,), np.float32)


def _check_modality(where: str, spec: ModalitySpec, batch: Batch) -> None:
    values, present = batch.inputs[spec.name], batch.present[spec.name]
    dtype = np.int32 if spec.kind == "tokens" else np.float32
    _check_array(where, values, (batch.size, *spec.shape), dtype)
    _check_array(f"{where}, present", present, (batch.size,), np.bool_)
    if spec.kind == "tokens":
        _check_range(where, values, 0, spec.vocabulary - 1)
    if spec.has_length:
        lengths = batch.lengths[spec.name]
        _check_array(f"{where}, lengths", lengths, (batch.size,), np.int32)
        _check_range(f"{where}, lengths", lengths, 0, spec.shape[0])
        empty = present & (lengths == 0)
        if empty.any():
            raise InputError(
                f"{where}, lengths: row {np.argmax(empty)} is 0; 0 is accepted only where the modality is absent"
            )


def _check_target(where: str, target: TargetSpec, batch: Batch) -> None:
    where = f"{where}, target"
    if target.kind in ("binary", "multiclass"):
        _check_array(where, batch.target, (batch.size,), np.int32)
        _check_range(where, batch.target, 0, target.classes - 1)
    else:
        _check_array(where, batch.target, (batch.size, target.size), np.float32)
    if target.kind == "multilabel":
        _reject(where, batch.target, (batch.target != 0) & (batch.target != 1), "labels must be 0 or 1")


def _check_array(where: str, array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise InputError(f"{where}: is {array.dtype} {array.shape}, and must be {np.dtype(dtype)} {shape}")
    # A minimum and a maximum are finite exactly when all values are, and take no array of booleans.
    if array.dtype.kind == "f" and not (np.isfinite(array.min()) and np.isfinite(array.max())):
        _reject(where, array, ~np.isfinite(array), "values must be finite")


def _check_range(where: str, array: np.ndarray, low: int, high: int) -> None:
    if array.min() < low or array.max() > high:
        _reject(where, array, (array < low) | (array > high), f"accepted are {low} to {high}")


def _reject(where: str, array: np.ndarray, wrong: np.ndarray, accepted: str) -> None:
    """Raises for the first wrong entry, if there is one."""
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f"row {index[0]}" + (f", position {index[1:]}" if len(index) > 1 else "")
        raise InputError(f"{where}: {place} is {array[index]}; {accepted}, so repair or drop that example")
