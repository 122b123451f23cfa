"""The fitted preprocessing of a task: made from train, kept with the runs, and applied to new examples."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mmjax.data.transforms.contract import Column, State, Transform, apply_steps, fit_steps, settings_of
from mmjax.data.transforms.raw_form import RawForm
from mmjax.data.transforms.registry import TRANSFORMS
from mmjax.errors import InputError, lookup
from mmjax.types import ModalitySpec

SETTINGS, STATES = "preprocessing.json", "preprocessing.npz"


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A modality's steps with what they learnt.

    Attributes:
      spec: of the modality that comes out.
      steps: in order.
      states: one a step.
      form: of the raw values, to which new ones are brought.
    """

    spec: ModalitySpec
    steps: tuple[Transform, ...]
    states: tuple[State, ...]
    form: RawForm = RawForm()

    def apply(self, column: Column) -> Column:
        """New raw values as an encoder takes them: float32, or int32 ids; zero where the modality is absent.

        Examples with a length are padded to that of train, and cut at it.
        """
        column = apply_steps(self.steps, self.states, column)
        if self.spec.has_length and column.values.shape[1] != self.spec.shape[0]:
            column = _of_length(column, self.spec.shape[0])
        return finish(column, self.spec.kind)

    def absent(self, n: int) -> Column:
        """n examples that lack the modality, as `apply` leaves them."""
        values = np.zeros((n, *self.spec.shape), np.int32 if self.spec.kind == "tokens" else np.float32)
        column = Column(values, np.zeros(n, bool), None, self.spec.vocabulary, self.spec.rate)
        return finish(column, self.spec.kind)


class StepsError(ValueError):
    """Steps and the modality that they are for do not go together; `modality` is its name."""

    def __init__(self, modality: str, sentence: str):
        super().__init__(sentence)
        self.modality = modality


def fit(name: str, kind: str, steps: tuple[Transform, ...], column: Column, form: RawForm = RawForm()) -> Fitted:
    """Steps fitted on a modality's column of train; `form` is what reading found beyond what the column shows.

    Raises:
      StepsError: if the steps cannot be fitted on it, or what they make of it is not of the kind.
    """
    try:
        states = fit_steps(steps, column)
        out = finish(apply_steps(steps, states, column.take(np.arange(min(1, len(column.values))))), kind)
        spec = ModalitySpec(name, kind, tuple(out.values.shape[1:]), out.vocabulary, out.rate)
    except InputError:
        raise
    except (ValueError, TypeError, IndexError) as error:
        named = ", ".join(type(step).__name__ for step in steps) or "none"
        why = str(error).removeprefix("modality 'any': ")  # `finish` knows no name
        told = f"modality {name!r}: the steps {named} do not make kind {kind!r} of it: {why}"
        raise StepsError(name, told) from error
    return Fitted(spec, tuple(steps), tuple(states), form.of_column(column))


def finish(column: Column, kind: str) -> Column:
    """A column in the dtype of its kind, zero where it is absent or padding, with lengths where the kind has them."""
    values = column.values.astype(np.int32 if kind == "tokens" else np.float32)
    values[~column.present] = 0
    lengths = column.lengths
    if ModalitySpec("any", kind, values.shape[1:], column.vocabulary, column.rate).has_length:
        lengths = np.full(len(values), values.shape[1]) if lengths is None else lengths
        lengths = np.where(column.present, lengths, 0).astype(np.int32)
        padding = np.arange(values.shape[1]) >= lengths[:, None]
        values[padding] = 0
    else:
        lengths = None
    return column._replace(values=values, lengths=lengths)


def _of_length(column: Column, length: int) -> Column:
    values = column.values[:, :length]
    lengths = np.full(len(column.values), column.values.shape[1]) if column.lengths is None else column.lengths
    column = column.without(lengths - length)
    missing = [(0, 0)] * values.ndim
    missing[1] = (0, length - values.shape[1])
    return column._replace(values=np.pad(values, missing), lengths=np.minimum(lengths, length).astype(np.int32))


def save(preprocessing: Mapping[str, Fitted], folder: Path) -> None:
    """Writes `preprocessing.json` and `preprocessing.npz` into a folder that exists."""
    settings, arrays = {}, {}
    for name, fitted in preprocessing.items():
        settings[name] = {
            "spec": dataclasses.asdict(fitted.spec),
            "steps": [settings_of(step) for step in fitted.steps],
            "form": dataclasses.asdict(fitted.form),
        }
        for place, state in enumerate(fitted.states):
            arrays |= {f"{name}/{place}/{key}": np.asarray(value) for key, value in state.items()}
    (folder / SETTINGS).write_text(json.dumps(settings, indent=1), encoding="utf-8")
    np.savez_compressed(folder / STATES, **arrays)


def load(folder: Path) -> dict[str, Fitted]:
    """What `save` wrote.

    Raises:
      InputError: if a file is missing or broken, or names a transform that does not exist.
    """
    from mmjax.data.sources import reading

    path = Path(folder) / SETTINGS
    with reading(path):
        settings = json.loads(path.read_text(encoding="utf-8"))
    with reading(path.with_name(STATES)), np.load(path.with_name(STATES), allow_pickle=False) as arrays:
        states = {key: arrays[key] for key in arrays.files}
    preprocessing = {}
    for name, value in settings.items():
        steps = tuple(_step(path, dict(each)) for each in value["steps"])
        fitted = tuple(
            {key.split("/", 2)[2]: array for key, array in states.items() if key.startswith(f"{name}/{place}/")}
            for place in range(len(steps))
        )
        spec = ModalitySpec(**{**value["spec"], "shape": tuple(value["spec"]["shape"])})
        preprocessing[name] = Fitted(spec, steps, fitted, RawForm.from_json(value.get("form", {})))
    return preprocessing


def cut_warnings(inputs: Mapping[str, Mapping[str, Column]]) -> Iterator[str]:
    """A sentence for each modality of which examples were cut, of modality -> split -> its column."""
    for name, by_split in inputs.items():
        cut = {split: column.cut for split, column in by_split.items() if column.cut is not None and column.cut.any()}
        if cut:
            counts = ", ".join(f"{(lost > 0).sum():,} of {len(lost):,} in {split}" for split, lost in cut.items())
            length = next(iter(by_split.values())).values.shape[1]
            most = max(int(lost.max()) for lost in cut.values())
            yield f"{name}: examples longer than {length:,} are cut, by {most:,} at most: {counts}"


def _step(path: Path, settings: dict) -> Transform:
    transform = lookup(TRANSFORMS, "transform", settings.pop("transform"))
    try:
        return transform(**{name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()})
    except TypeError as error:
        raise InputError(f"{path}: {error}; it was written by another version, so prepare the task again") from error
