"""What a task.yaml says: `mmjax/data/folder/README.md` is its page."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from mmjax.data.folder.lines import Lines, read_yaml
from mmjax.data.folder.pictures import MOST_PIXELS
from mmjax.data.folder.settings import setting_number, typed_settings
from mmjax.data.transforms.contract import Transform
from mmjax.data.transforms.registry import TRANSFORMS
from mmjax.errors import LISTED, InputError, nearest, shown, unknown_name
from mmjax.types import RESERVED, SCALE_KINDS, TARGET_KINDS, add_modality_name

FILE = "task.yaml"
# Kinds of task.yaml -> kinds of the project.
KINDS = {
    "table": "vector", "vector": "vector", "text": "tokens", "tokens": "tokens", "image": "image",
    "sequence": "sequence", "waveform": "waveform", "video": "video", "points": "points",
}  # fmt: skip
SPLITTERS = ("random_80_20", "fold")
DELIMITERS = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "space": " ", "pipe": "|"}  # words for them
REGISTRY = "mmjax/data/transforms/registry.py"
LONGEST_NAME = 64  # letters of a task's name: it is part of the names of folders


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
    """What is predicted: its kind ("" lets the values decide), where it stands, and the classes in order (or none).

    `scale` is what a regression is learned in, one of SCALE_KINDS; "" lets train's values decide.
    """

    kind: str
    reference: Reference
    classes: tuple[str, ...]
    scale: str = ""


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
        raise InputError(f"{folder} has no {FILE}; write one with `mmjax data init {folder}`")
    top = _Reader(path, read_yaml(path))
    top.known("name", "source", "modalities", "target", "id", "splits", "groups")
    modalities = top.mapping("modalities")
    if len(modalities.content) < 2:
        top.refuse("modalities", f"names {len(modalities.content)}", "two or more")
    _check_names(modalities)
    splits = top.content.get("splits", "random_80_20")
    if isinstance(splits, str):
        top.one_of("splits", splits, SPLITTERS)
    name = top.text("name", "") or _name_of(folder)
    if not name.replace("-", "").replace("_", "").isalnum() or len(name) > LONGEST_NAME:
        top.refuse("name", f"is {shown(name)}", f"{LONGEST_NAME} letters, digits, '-' and '_' at most")
    return Schema(
        folder=folder,
        name=name,
        source=top.text("source", ""),
        modalities=tuple(_modality(modalities.mapping(name), name) for name in modalities.content),
        target=_target(top.mapping("target")),
        id=top.text("id", ""),
        splits=splits if isinstance(splits, str) else _reference(top.mapping("splits"), ()),
        groups=_reference(top.mapping("groups"), ()) if "groups" in top.content else None,
    )


def _name_of(folder: Path) -> str:
    """A name made of a folder's: what no name holds becomes '_'."""
    return re.sub(r"[^\w-]+", "_", folder.resolve().name)[:LONGEST_NAME].strip("_") or "task"


def _check_names(modalities: _Reader) -> None:
    seen = {}
    for name in modalities.content:
        try:
            add_modality_name(seen, name)
        except InputError as error:
            raise InputError(f"{modalities.path}, line {modalities.line(name)}: {error}") from None
        if name in RESERVED:
            modalities.refuse(name, "is a name that models take", f"names other than {', '.join(RESERVED)}")


def _said(value) -> str:
    return "is missing" if value in (None, "") else f"is {shown(value)}"


class _Reader:
    """A mapping of task.yaml, read with the line in every complaint."""

    def __init__(self, path: Path, content: Lines):
        self.path, self.content = path, content

    def line(self, key: str) -> int:
        return self.content.lines.get(key, self.content.line)

    def known(self, *keys: str):
        for key in self.content:
            if key not in keys:
                near = nearest(key, keys, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise InputError(
                    f"{self.path}, line {self.line(key)}: unknown key {shown(key)}: valid are {', '.join(keys)}{hint}"
                )

    def refuse(self, key: str, what: str, accepted: str):
        raise InputError(f"{self.path}, line {self.line(key)}: {key} {what}; accepted: {accepted}")

    def one_of(self, key: str, value, accepted: Sequence[str], listed: str = ""):
        if value not in accepted:
            if len(accepted) > LISTED:
                raise InputError(
                    f"{self.path}, line {self.line(key)}: {unknown_name(key, str(value), accepted, listed)}"
                )
            near = nearest(str(value), accepted, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            self.refuse(key, f"is {shown(value)}", ", ".join(accepted) + hint)
        return value

    def mapping(self, key: str) -> _Reader:
        value = self.content.get(key)
        if not isinstance(value, Lines):
            self.refuse(key, _said(value), "a mapping of keys to values")
        return _Reader(self.path, value)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.content.get(key, default)
        if not isinstance(value, str) or value == "" != default:
            self.refuse(key, _said(value), "a name")
        return value

    def number(self, key: str, default: float, kind: Callable = float) -> float:
        value = self.content.get(key, default)
        number = setting_number(value) if key in self.content else default
        if number is None or number < 0 or kind(number) != number:
            self.refuse(key, _said(value), f"a {'whole ' if kind is int else ''}number, 0 or more")
        return kind(number)

    def names(self, key: str) -> tuple[str, ...]:
        values = self.content.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            self.refuse(key, _said(values), "a list of names, as `[age, ward]`")
        twice = [value for value, count in Counter(values).items() if count > 1]
        if twice:
            self.refuse(key, f"names {shown(twice[0])} twice", "each name once")
        return tuple(values)


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
        delimiter=_delimiter(reader),
    )


def _delimiter(reader: _Reader) -> str:
    text = reader.content.get("delimiter", "")
    mark = DELIMITERS.get(text, text) if isinstance(text, str) else ""
    if (text and len(mark) != 1) or mark in tuple('"\r\n\0'):
        reader.refuse("delimiter", _said(text), f"one character, or {', '.join(DELIMITERS)}")
    return mark


def _modality(reader: _Reader, name: str) -> ModalityPart:
    reference = _reference(reader, ("kind", "steps", "size", "rate", "seconds", "categories", "channels"))
    kind = reader.one_of("kind", reader.text("kind"), tuple(KINDS))
    size = reader.content.get("size", ["0", "0"])
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(s, str) and s.isdecimal() for s in size):
        reader.refuse("size", _said(size), "[height, width] in pixels")
    height, width = map(int, size)
    if bool(height) != bool(width) or height * width > MOST_PIXELS:
        accepted = f"height and width, {MOST_PIXELS:,} pixels together at most, or [0, 0] for those of the files"
        reader.refuse("size", _said(size), accepted)
    return ModalityPart(
        name,
        kind,
        reference,
        _steps(reader),
        (height, width),
        reader.number("rate", 0, int),
        reader.number("seconds", ModalityPart.seconds),
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
        reader.refuse("steps", _said(steps), "a list of transforms, as `- transform: Scale`")
    return tuple(_step(reader, each) for each in steps)


def _step(reader: _Reader, step) -> Transform:
    if not isinstance(step, Lines) or "transform" not in step:
        reader.refuse("steps", f"has {shown(step)}", "a mapping with the key `transform`")
    inner = _Reader(reader.path, step)
    transform = TRANSFORMS[inner.one_of("transform", step["transform"], tuple(TRANSFORMS), REGISTRY)]
    inner.known("transform", *(field.name for field in dataclasses.fields(transform)))
    settings = {key: value for key, value in step.items() if key != "transform"}
    try:
        return transform(**typed_settings(transform, settings))
    except (InputError, TypeError, ValueError) as error:
        raise InputError(f"{reader.path}, line {step.line}: {error}") from error


def _target(reader: _Reader) -> TargetPart:
    reference = _reference(reader, ("kind", "classes", "scale"))
    kind = reader.text("kind", "")
    if kind:
        reader.one_of("kind", kind, TARGET_KINDS)
    scale = reader.text("scale", "")
    if scale:
        reader.one_of("scale", scale, SCALE_KINDS)
    if scale and kind not in ("", "regression"):
        reader.refuse("scale", f"stands beside kind {kind!r}", "a scale for a regression alone")
    return TargetPart(kind, reference, reader.names("classes"), scale)
