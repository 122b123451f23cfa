"""What a task.yaml says: `mmjax/data/folder/README.md` is its page."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Sequence
from pathlib import Path

from mmjax.data.folder.lines import Lines, read_yaml
from mmjax.data.transforms.contract import Transform
from mmjax.data.transforms.registry import TRANSFORMS
from mmjax.errors import InputError
from mmjax.types import TARGET_KINDS

FILE = "task.yaml"
# Kinds of task.yaml -> kinds of the project.
KINDS = {
    "table": "vector", "vector": "vector", "text": "tokens", "tokens": "tokens", "image": "image",
    "sequence": "sequence", "waveform": "waveform", "video": "video", "points": "points",
}  # fmt: skip
SPLITTERS = ("random_80_20", "fold")


@dataclasses.dataclass(frozen=True)
class Reference:
    """Where values stand.

    Attributes:
      line: of task.yaml that names it.
      file: below the task's folder: a table, arrays, a folder or archive of images or sounds, or a saved data set.
      columns: of a table or saved data set; arrays of an npz.
      lengths: array of an npz, or column, with the number of valid steps; "" where all are valid.
      names: table whose column `columns[0]` names the files of a folder; "" where they are named by id or in order.
      delimiter: between a table's columns; "" takes "," and a tab in a .tsv.
    """

    line: int
    file: str
    columns: tuple[str, ...] = ()
    lengths: str = ""
    names: str = ""
    delimiter: str = ""


@dataclasses.dataclass(frozen=True)
class ModalityPart:
    """A modality: its kind in task.yaml, where it stands, and its preprocessing; None takes the kind's own.

    `size` (height, width of images), `rate` (of sound, samples a second) and `seconds` (of sound, at most) are 0 where
    the files decide. `categories` are columns of a table that are no numbers, whatever they hold; `channels` says where
    an array of pictures has its colours, "first", "last" or "" where its shape decides.
    """

    name: str
    kind: str
    reference: Reference
    steps: tuple[Transform, ...] | None
    size: tuple[int, int] = (0, 0)
    rate: int = 0
    seconds: float = 10.0
    categories: tuple[str, ...] = ()
    channels: str = ""


@dataclasses.dataclass(frozen=True)
class TargetPart:
    """What is predicted: its kind ("" lets the values decide), where it stands, and the classes in order (or none)."""

    kind: str
    reference: Reference
    classes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Schema:
    """A task.yaml.

    Attributes:
      folder: of the task.
      name: of the task.
      source: one line.
      modalities, target: the parts.
      id: where every row's key stands, by which tables are joined; None joins by order.
      splits: one of SPLITTERS, or where each row's split stands.
      groups: where each row's group stands, or None.
    """

    folder: Path
    name: str
    source: str
    modalities: tuple[ModalityPart, ...]
    target: TargetPart
    id: str
    splits: str | Reference
    groups: Reference | None


def read_schema(folder: Path) -> Schema:
    """The task.yaml of a folder.

    Raises:
      InputError: with the line, if a key is unknown or missing, or a value is not accepted.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"{folder} has no {FILE}; write one with `python -m experiments.data init {folder}`")
    top = _Reader(path, read_yaml(path))
    top.known("name", "source", "modalities", "target", "id", "splits", "groups")
    modalities = top.mapping("modalities")
    if len(modalities.content) < 2:
        top.refuse("modalities", f"names {len(modalities.content)}", "two or more")
    splits = top.content.get("splits", "random_80_20")
    if isinstance(splits, str):
        top.one_of("splits", splits, SPLITTERS)
    name = str(top.content.get("name", folder.resolve().name))
    if not name.replace("-", "").replace("_", "").isalnum():
        top.refuse("name", f"is {name!r}", "letters, digits, '-' and '_'")
    return Schema(
        folder=folder,
        name=name,
        source=str(top.content.get("source", "")),
        modalities=tuple(_modality(modalities.mapping(name), name) for name in modalities.content),
        target=_target(top.mapping("target")),
        id=str(top.content.get("id", "")),
        splits=splits if isinstance(splits, str) else _reference(top.mapping("splits"), ()),
        groups=_reference(top.mapping("groups"), ()) if "groups" in top.content else None,
    )


class _Reader:
    """A mapping of task.yaml, read with the line in every complaint."""

    def __init__(self, path: Path, content: Lines):
        self.path, self.content = path, content

    def line(self, key: str) -> int:
        return self.content.lines.get(key, self.content.line)

    def known(self, *keys: str):
        for key in self.content:
            if key not in keys:
                nearest = difflib.get_close_matches(key, keys, n=1)
                hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
                raise InputError(
                    f"{self.path}, line {self.line(key)}: unknown key {key!r}: valid are {', '.join(keys)}{hint}"
                )

    def refuse(self, key: str, what: str, accepted: str):
        raise InputError(f"{self.path}, line {self.line(key)}: {key} {what}; accepted: {accepted}")

    def one_of(self, key: str, value, accepted: Sequence[str]):
        if value not in accepted:
            nearest = difflib.get_close_matches(str(value), accepted, n=1)
            hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
            self.refuse(key, f"is {value!r}", ", ".join(accepted) + hint)
        return value

    def mapping(self, key: str) -> _Reader:
        value = self.content.get(key)
        if not isinstance(value, Lines):
            self.refuse(key, "is missing" if value is None else f"is {value!r}", "a mapping of keys to values")
        return _Reader(self.path, value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.content.get(key, default)
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "" != default:
            self.refuse(key, "is missing" if value is None else f"is {value!r}", "a name")
        return str(value)

    def number(self, key: str, default: float, kind: Callable = float) -> float:
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or kind(value) != value:
            self.refuse(key, f"is {value!r}", "a number, 0 or more")
        return kind(value)

    def names(self, key: str) -> tuple[str, ...]:
        values = self.content.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, str | int | float | bool) for v in values):
            self.refuse(key, f"is {values!r}", "a list of names")
        return tuple(map(str, values))


_PLACE = ("file", "column", "columns", "array", "lengths", "names", "delimiter")


def _reference(reader: _Reader, others: Sequence[str]) -> Reference:
    reader.known(*_PLACE, *others)
    given = [key for key in ("column", "columns", "array") if key in reader.content]
    if len(given) > 1:
        reader.refuse(given[1], f"stands beside {given[0]}", "one of column, columns and array")
    columns = reader.names("columns") if given == ["columns"] else tuple(reader.text(key) for key in given)
    return Reference(
        line=reader.content.line,
        file=reader.text("file"),
        columns=columns,
        lengths=reader.text("lengths", ""),
        names=reader.text("names", ""),
        delimiter=reader.text("delimiter", ""),
    )


def _modality(reader: _Reader, name: str) -> ModalityPart:
    reference = _reference(reader, ("kind", "steps", "size", "rate", "seconds", "categories", "channels"))
    kind = reader.one_of("kind", reader.text("kind"), tuple(KINDS))
    size = reader.content.get("size", [0, 0])
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(side, int) and side >= 0 for side in size):
        reader.refuse("size", f"is {size!r}", "[height, width] in pixels")
    return ModalityPart(
        name,
        kind,
        reference,
        _steps(reader),
        tuple(size),
        reader.number("rate", 0, int),
        reader.number("seconds", 10.0),
        _categories(reader, kind, reference),
        _channels(reader),
    )


def _channels(reader: _Reader) -> str:
    channels = reader.text("channels", "")
    return reader.one_of("channels", channels, ("first", "last")) if channels else ""


def _categories(reader: _Reader, kind: str, reference: Reference) -> tuple[str, ...]:
    categories = reader.names("categories")
    if any(column not in reference.columns for column in categories) or (categories and kind != "table"):
        reader.refuse(
            "categories", f"is {list(categories)}", f"columns of a table, here {', '.join(reference.columns)}"
        )
    return categories


def _steps(reader: _Reader) -> tuple[Transform, ...] | None:
    if "steps" not in reader.content:
        return None
    steps = reader.content["steps"]
    if not isinstance(steps, list):
        reader.refuse("steps", f"is {steps!r}", "a list of transforms, as `- transform: Scale`")
    return tuple(_step(reader, each) for each in steps)


def _step(reader: _Reader, step) -> Transform:
    if not isinstance(step, Lines) or "transform" not in step:
        reader.refuse("steps", f"has {step!r}", "a mapping with the key `transform`")
    inner = _Reader(reader.path, step)
    transform = TRANSFORMS[inner.one_of("transform", step["transform"], tuple(TRANSFORMS))]
    inner.known("transform", *(field.name for field in dataclasses.fields(transform)))
    settings = {key: tuple(value) if isinstance(value, list) else value for key, value in step.items()}
    settings.pop("transform")
    try:
        return transform(**settings)
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{reader.path}, line {step.line}: {error}") from error


def _target(reader: _Reader) -> TargetPart:
    reference = _reference(reader, ("kind", "classes"))
    kind = reader.text("kind", "")
    if kind:
        reader.one_of("kind", kind, TARGET_KINDS)
    return TargetPart(kind, reference, reader.names("classes"))
