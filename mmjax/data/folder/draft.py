"""A first task.yaml, by looking at the files of a folder; a person corrects it."""

from __future__ import annotations

import dataclasses
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmjax.data.folder import arrays, media, saved_datasets, tables
from mmjax.data.folder.column_roles import GROUPS, TARGETS, roles_of
from mmjax.data.folder.places import contents, is_archive, is_leftover, members_named
from mmjax.data.folder.schema import FILE, Reference
from mmjax.data.folder.separated import sniff
from mmjax.errors import InputError, shown
from mmjax.types import LONGEST_NAME, RESERVED, add_modality_name

LENGTHS = ("length", "lengths", "steps", "len")  # arrays of valid steps
IDS = ("tokens", "ids", "input_ids", "words")  # arrays of ids
UNKNOWN = "?"


class Draft(NamedTuple):
    """The text of a task.yaml.

    Attributes:
      text: with notes and questions as comments.
      notes: what a person may want to change, a sentence each.
      questions: what a person must settle, or what was left out.
      complete: whether there is enough of it that it could be loaded.
    """

    text: str
    notes: tuple[str, ...]
    questions: tuple[str, ...]
    complete: bool


@dataclasses.dataclass
class _Found:
    """What the files of a folder hold, as it is found; the places of values are as task.yaml has them."""

    modalities: dict[str, dict] = dataclasses.field(default_factory=dict)
    seen: dict[str, str] = dataclasses.field(default_factory=dict)  # their names
    targets: list[dict] = dataclasses.field(default_factory=list)
    splits: list[dict] = dataclasses.field(default_factory=list)
    groups: list[dict] = dataclasses.field(default_factory=list)
    keys: list[str] = dataclasses.field(default_factory=list)
    distinct: list[set[str]] = dataclasses.field(default_factory=list)  # of each table, columns without two equal cells
    maybe: list[str] = dataclasses.field(default_factory=list)  # columns that may be the target
    names: list[tuple[str, dict, list[str]]] = dataclasses.field(default_factory=list)  # kind, place, names of files
    questions: list[str] = dataclasses.field(default_factory=list)

    def add(self, name: str, **part) -> None:
        """A modality, under a name that is accepted and not taken."""
        kept = [c for c in unicodedata.normalize("NFC", name) if c in " _-." or unicodedata.category(c)[0] in "LMN"]
        plain = re.sub(r"\.+", ".", "".join(kept)).strip(" .-")
        while len(plain.encode()) > LONGEST_NAME - len(" 99"):
            plain = plain[:-1]
        for number in range(1, 100):
            tried = plain if number == 1 and plain else f"{plain or 'modality'} {number}"
            if tried in RESERVED:
                continue
            try:
                add_modality_name(self.seen, tried)
            except InputError:
                continue
            self.modalities[tried] = part
            return
        self.questions.append(f"{shown(name)} is left out: too many modalities have its name")


def draft(folder: Path) -> Draft:
    """The draft for a folder.

    Raises:
      InputError: if the folder does not exist or holds nothing that is known.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the one that holds your files")
    try:
        paths = [path for path in sorted(folder.iterdir()) if path.name != FILE and not is_leftover(path.name)]
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); change its permissions") from error
    found = _Found()
    for look in (_of_table, _of_arrays, _of_saved, _of_media):  # tables first: they name the files of folders
        for path in paths:
            try:
                look(found, path)
            except InputError as error:
                found.questions.append(f"{path.name} is left out: {error}")
    if any(path.suffix.lower() in media.IMAGES + media.SOUNDS for path in paths):
        _of_media(found, folder, ".")
    if not found.modalities:
        reasons = f" ({found.questions[0]})" if found.questions else ""
        raise InputError(
            f"{folder} holds no table, array, image, sound or saved data set that can be read{reasons}; put your files "
            "there"
        )
    return _written(folder, found)


def write_draft(folder: Path, force: bool) -> tuple[Path, Draft]:
    """Writes the draft into the folder; its path, and the draft.

    Raises:
      InputError: if there is a task.yaml and `force` is not given, or the folder cannot be written.
    """
    path = folder / FILE
    if path.exists() and not force:
        raise InputError(f"{path} is there already; move it away, or give --force to write over it")
    made = draft(folder)
    _write(path, made.text)
    return path, made


def add_questions(path: Path, questions: Iterable[str]) -> None:
    """Writes sentences below a draft, as comments: its lines stay where sentences point at them.

    Raises:
      InputError: if the file cannot be written.
    """
    _write(path, path.read_text(encoding="utf-8") + _comments(f"Open: {question}" for question in questions))


def _comments(sentences: Iterable[str]) -> str:
    """A line each, whatever line breaks the names in them hold."""
    return "".join(f"# {' '.join(sentence.split())}\n" for sentence in sentences)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); copy the files to a folder that may be written"
        ) from error


def _written(folder: Path, found: _Found) -> Draft:
    import yaml

    target, *others = found.targets or [{"file": UNKNOWN, "column": UNKNOWN}]
    content = {"modalities": found.modalities, "target": target, "splits": "random_80_20"}
    notes = [f"{_said(other)} may be the target too" for other in others]
    key = _common_key(found, target)
    if key:
        content = {"id": key} | content
    if found.splits:
        content["splits"] = found.splits[0]
    notes += [f"if no {_column_of(place)} may be in two splits, add `groups: {_flow(place)}`" for place in found.groups]
    questions = list(found.questions)
    if not found.targets:
        hint = f", as {', '.join(map(shown, found.maybe[:3]))}" if found.maybe else ""
        questions.append(f"what is to be predicted was not found; write its file and column{hint} under `target`")
    if len(found.modalities) < 2:
        questions.append(
            "one modality was found, and two or more are compared; divide its columns by where they come from"
        )
    heading = [
        f"A draft made by looking at the files: correct it, then run `python -m experiments.data check {folder}`.",
        *(f"Note: {note}" for note in notes),
        *(f"Open: {question}" for question in questions),
    ]
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=10**9)
    complete = bool(found.targets) and len(found.modalities) > 1
    return Draft(_comments(heading) + body, tuple(notes), tuple(questions), complete)


def _common_key(found: _Found, target: dict) -> str:
    """A column by which all tables can be joined; "" where they are joined row by row."""
    if "column" not in target or not tables.is_table(Path(target["file"])):
        return ""
    return next((key for key in found.keys if all(key in distinct for distinct in found.distinct)), "")


def _of_table(found: _Found, path: Path) -> None:
    if not tables.is_table(path):
        return
    place = {"file": path.name}
    if path.suffix.lower() != ".parquet":
        mark = sniff(path)
        if mark != ("\t" if path.suffix.lower() == ".tsv" else ","):
            place["delimiter"] = "tab" if mark == "\t" else mark
    table = tables.read_table(path, {"tab": "\t"}.get(place.get("delimiter", ""), place.get("delimiter", "")))
    _of_columns(found, path.stem, place, table.frame.columns, lambda column: table.strings(column).tolist())
    found.distinct.append({c for c in table.frame.columns if len(set(table.strings(c)) - {""}) == table.rows})


def _of_columns(found: _Found, name: str, place: dict, columns: Iterable[str], cells_of) -> None:
    """What a table or a saved data set gives."""
    roles = roles_of(columns, cells_of)
    for text in roles.texts:
        found.add(text, kind="text", **place, column=text)
    if roles.features:
        found.add(name, kind="table", **place, columns=roles.features)
    if roles.target:
        found.targets.append({**place, "column": roles.target})
    if roles.split:
        found.splits.append({**place, "column": roles.split})
    found.groups += [{**place, "column": column} for column in roles.groups]
    found.keys += roles.keys
    found.maybe += roles.few
    for kind, named in (("image", roles.pictures), ("waveform", roles.sounds)):
        found.names += [(kind, {**place, "column": column}, cells_of(column)) for column in named]
    found.questions += [
        f"column {shown(c)} of {place['file']} is left out: it {why}" for c, why in roles.left_out.items()
    ]


def _of_arrays(found: _Found, path: Path) -> None:
    if not arrays.is_arrays(path):
        return
    lengths, sequences = [], []
    for array in arrays.names_of(path) if path.suffix.lower() == ".npz" else [""]:
        name, place = array or path.stem, {"file": path.name} | ({"array": array} if array else {})
        try:
            values = arrays.read_array(path, array)
        except InputError as error:
            found.questions.append(f"array {shown(name)} is left out: {error}")
            continue
        low, one = name.lower(), values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)
        kind = {2: "vector", 3: "sequence", 4: "image", 5: "video"}.get(values.ndim)
        if low in TARGETS and (one or values.ndim == 2):
            found.targets.append(place if one else {"kind": "multilabel"} | place)
        elif values.ndim == 1 and low in LENGTHS and values.dtype.kind in "iu":
            lengths.append(array)
        elif values.ndim == 1 and low in GROUPS:
            found.groups.append(place)
        elif values.ndim == 1 and values.dtype.kind == "U":
            found.add(name, kind="text", **place)
        elif kind and values.dtype.kind in "biuf":
            if values.dtype == np.uint8 and values.ndim == 3:
                kind = "image"
            elif low in IDS and values.dtype.kind in "iu":
                kind = "tokens"
            found.add(name, kind=kind, **place)
            sequences += [list(found.modalities)[-1]] if kind == "sequence" else []
        else:
            found.questions.append(
                f"array {shown(name)} of {path.name} is left out: it is {values.dtype} {values.shape}; a modality has "
                "numbers of two axes or more, or strings"
            )
    if len(lengths) == 1 and len(sequences) == 1:
        found.modalities[sequences[0]]["lengths"] = lengths[0]


def _of_saved(found: _Found, path: Path) -> None:
    if not saved_datasets.is_saved(path):
        return
    import datasets

    saved, place = saved_datasets.read_saved(path), {"file": path.name}
    plain = []
    for column, feature in next(iter(saved.tables.values())).features.items():
        if isinstance(feature, datasets.Value | datasets.ClassLabel):
            plain.append(column)
        elif isinstance(feature, datasets.Image | datasets.Audio):
            kind = "image" if isinstance(feature, datasets.Image) else "waveform"
            found.add(column, kind=kind, **place, column=column)
        else:
            found.questions.append(f"column {shown(column)} of {path.name} is left out: say its kind, as `sequence`")
    strings = {c: ["" if value is None else str(value) for value in saved.values(c)] for c in plain}
    _of_columns(found, path.name, place, plain, strings.__getitem__)
    if {"train", "test"} <= set(saved.tables):
        found.splits.insert(0, dict(place))


def _of_media(found: _Found, path: Path, file: str = "") -> None:
    if not file and (saved_datasets.is_saved(path) or not (path.is_dir() or is_archive(path))):
        return
    file, held = file or path.name, contents(path)
    suffixes = {Path(name).suffix.lower() for name in held}
    for kind, accepted in (("image", media.IMAGES), ("waveform", media.SOUNDS)):
        if suffixes & set(accepted):
            found.add(
                path.resolve().name if path.is_dir() else path.stem,
                kind=kind,
                file=file,
                **_names(found, kind, file, held),
            )
            return
    found.questions.append(f"{file} is left out: it holds no image and no sound")


def _names(found: _Found, kind: str, file: str, held: dict) -> dict:
    """The table and column that name the most files of a folder or archive, if any does."""
    best, most = {}, 0
    for of_kind, place, cells in found.names:
        reference = Reference(0, file, names=place["file"])
        hits = sum(name in held for name in members_named(filter(None, cells), held, reference))
        if of_kind == kind and hits > most:
            best, most = place, hits
    return {"names" if key == "file" else key: value for key, value in best.items()}


def _said(place: dict) -> str:
    return f"{shown(_column_of(place))} of {place['file']}"


def _column_of(place: dict) -> str:
    return place.get("column") or place.get("array") or place["file"]


def _flow(place: dict) -> str:
    import yaml

    return yaml.safe_dump(place, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10**9).strip()
