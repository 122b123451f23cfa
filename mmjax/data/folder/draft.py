"""A first task.yaml, by looking at the files of a folder; a person corrects it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mmjax.data.folder import tables
from mmjax.data.folder.findings import Found, look_into
from mmjax.data.folder.schema import FILE
from mmjax.errors import InputError, shown

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


def draft(folder: Path) -> Draft:
    """The draft for a folder.

    Raises:
      InputError: if the folder does not exist or holds nothing that is known.
    """
    found = look_into(folder)
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


def _written(folder: Path, found: Found) -> Draft:
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
        f"A draft made by looking at the files: correct it, then run `mmjax data check {folder}`.",
        *(f"Note: {note}" for note in notes),
        *(f"Open: {question}" for question in questions),
    ]
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, default_flow_style=None, width=10**9)
    complete = bool(found.targets) and len(found.modalities) > 1
    return Draft(_comments(heading) + body, tuple(notes), tuple(questions), complete)


def _common_key(found: Found, target: dict) -> str:
    """A column by which all tables can be joined; "" where they are joined row by row."""
    if "column" not in target or not tables.is_table(Path(target["file"])):
        return ""
    return next((key for key in found.keys if all(key in distinct for distinct in found.distinct)), "")


def _said(place: dict) -> str:
    return f"{shown(_column_of(place))} of {place['file']}"


def _column_of(place: dict) -> str:
    return place.get("column") or place.get("array") or place["file"]


def _flow(place: dict) -> str:
    import yaml

    return yaml.safe_dump(place, sort_keys=False, allow_unicode=True, default_flow_style=True, width=10**9).strip()
