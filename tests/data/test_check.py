"""Every broken array is refused in one sentence that says where it is."""

import dataclasses

import numpy as np
import pytest

from mmjax.data.check import arrays_of, check_task, fingerprint
from mmjax.errors import InputError
from mmjax.types import SPLITS, Batch, ModalitySpec, TargetSpec, Task

N = 6


def good_task(target=TargetSpec("multiclass", 3)) -> Task:
    """One modality of each dtype, fresh arrays every time."""
    specs = (ModalitySpec("scan", "vector", (4,)), ModalitySpec("note", "tokens", (5,), 10))

    def batch():
        return Batch(
            inputs={"scan": np.ones((N, 4), np.float32), "note": np.ones((N, 5), np.int32)},
            lengths={"note": np.full(N, 5, np.int32)},
            present={"scan": np.ones(N, bool), "note": np.ones(N, bool)},
            target={
                "multiclass": np.arange(N, dtype=np.int32) % 3,
                "multilabel": np.ones((N, target.size), np.float32),
                "regression": np.ones((N, target.size), np.float32),
            }[target.kind],
            weight=np.ones(N, np.float32),
        )

    return Task("clinic", specs, target, {split: batch() for split in SPLITS})


def spoil(task: Task, split: str, path: tuple[str, ...], row, value) -> None:
    array = getattr(task.splits[split], path[0])
    (array[path[1]] if len(path) > 1 else array)[row] = value


@pytest.mark.parametrize(
    "target", [TargetSpec("multiclass", 3), TargetSpec("multilabel", 2), TargetSpec("regression", 2)]
)
def test_good_tasks_pass(target):
    check_task(good_task(target))


@pytest.mark.parametrize(
    "spec",
    [
        ModalitySpec("gait", "video", (3, 4, 4, 1)),
        ModalitySpec("radar", "points", (5, 3)),
        ModalitySpec("cough", "waveform", (40,), rate=100.0),
    ],
    ids=lambda spec: spec.kind,
)
def test_kinds_with_a_length_pass_with_it_alone(spec):
    task = good_task()
    task = dataclasses.replace(task, modalities=(*task.modalities, spec))
    for batch in task.splits.values():
        batch.inputs[spec.name] = np.ones((N, *spec.shape), np.float32)
        batch.present[spec.name] = np.ones(N, bool)
    with pytest.raises(InputError, match=f"lengths has .* and must have .*{spec.name}"):
        check_task(task)
    for batch in task.splits.values():
        batch.lengths[spec.name] = np.full(N, spec.shape[0], np.int32)
    check_task(task)


@pytest.mark.parametrize(
    ("split", "path", "row", "value", "said"),
    [
        ("train", ("inputs", "scan"), (2, 3), np.nan, ["'train'", "'scan'", "row 2", "nan", "finite"]),
        ("test", ("inputs", "scan"), (0, 0), -np.inf, ["'test'", "'scan'", "row 0", "-inf"]),
        ("validation", ("inputs", "note"), (4, 1), 10, ["'validation'", "'note'", "row 4", "10", "0 to 9"]),
        ("test", ("inputs", "note"), (4, 1), -1, ["'note'", "-1"]),
        ("test", ("target",), 5, 3, ["'test'", "target", "row 5", "3", "0 to 2"]),
        ("train", ("target",), 1, -1, ["target", "row 1", "-1"]),
        ("train", ("lengths", "note"), 3, 6, ["lengths", "row 3", "6", "0 to 5"]),
        ("train", ("lengths", "note"), 3, 0, ["lengths", "row 3", "0", "absent"]),
        ("train", ("weight",), 1, np.nan, ["weight", "row 1"]),
    ],
)
def test_a_wrong_value_is_named(split, path, row, value, said):
    task = good_task()
    spoil(task, split, path, row, value)
    with pytest.raises(InputError) as error:
        check_task(task)
    message = str(error.value)
    assert "'clinic'" in message and "\n" not in message
    assert all(word in message for word in said), message


def test_a_length_of_zero_is_good_where_the_modality_is_absent():
    task = good_task()
    spoil(task, "train", ("lengths", "note"), 3, 0)
    spoil(task, "train", ("present", "note"), 3, False)
    check_task(task)


def test_labels_of_multilabel_are_zero_or_one():
    task = good_task(TargetSpec("multilabel", 2))
    spoil(task, "test", ("target",), (1, 1), 0.5)
    with pytest.raises(InputError, match="0.5; labels must be 0 or 1"):
        check_task(task)


def test_a_class_absent_from_train_is_named():
    task = good_task()
    task.splits["train"].target[:] = [0, 1, 0, 1, 0, 1]
    with pytest.raises(InputError, match="no example of class 2"):
        check_task(task)


@pytest.mark.parametrize(
    ("field", "name", "array"),
    [
        ("inputs", "scan", np.ones((N, 4))),
        ("inputs", "scan", np.ones((N, 3), np.float32)),
        ("inputs", "note", np.ones((N, 5), np.int64)),
        ("inputs", "note", np.ones((N - 1, 5), np.int32)),
        ("present", "scan", np.ones(N, np.float32)),
        ("lengths", "note", np.ones((N, 1), np.int32)),
        ("target", None, np.zeros(N)),
        ("target", None, np.zeros(N + 1, np.int32)),
    ],
)
def test_a_wrong_shape_or_dtype_is_named(field, name, array):
    task = good_task()
    train = task.splits["train"]
    value = array if name is None else {**getattr(train, field), name: array}
    broken = dataclasses.replace(task, splits={**task.splits, "train": train._replace(**{field: value})})
    with pytest.raises(InputError, match="must be") as error:
        check_task(broken)
    assert str(array.shape) in str(error.value) and str(array.dtype) in str(error.value)


def test_modalities_must_differ_and_be_two():
    task = good_task()
    with pytest.raises(InputError, match="differ in more than case"):
        check_task(dataclasses.replace(task, modalities=task.modalities[:1] * 2))
    with pytest.raises(InputError, match="two or more"):
        check_task(dataclasses.replace(task, modalities=task.modalities[:1]))


def test_all_three_splits_are_there():
    task = good_task()
    with pytest.raises(InputError, match="train, validation, test"):
        check_task(dataclasses.replace(task, splits={"train": task.splits["train"], "test": task.splits["test"]}))


def test_fields_hold_the_tasks_modalities():
    task = good_task()
    task.splits["train"].inputs["extra"] = np.ones((N, 4), np.float32)
    with pytest.raises(InputError, match="extra"):
        check_task(task)


def test_fingerprint_changes_with_any_array_and_with_nothing_else():
    prints = {fingerprint(arrays_of(good_task()))}
    assert prints == {fingerprint(arrays_of(good_task()))}
    for path in (
        ("inputs", "scan"),
        ("inputs", "note"),
        ("lengths", "note"),
        ("present", "scan"),
        ("target",),
        ("weight",),
    ):
        task = good_task()
        spoil(task, "test", path, 0, 0)
        prints.add(fingerprint(arrays_of(task)))
    # Class 0 is what row 0's target was: the same task.
    assert len(prints) == 6
