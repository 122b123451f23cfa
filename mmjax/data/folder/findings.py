"""What the files of a folder hold, as far as they show it: modalities, targets, splits, groups and keys."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mmjax.data.folder import arrays, media, saved_datasets, tables
from mmjax.data.folder.column_roles import GROUPS, TARGETS, roles_of
from mmjax.data.folder.places import contents, is_archive, is_leftover, members_named
from mmjax.data.folder.schema import DELIMITERS, FILE, Reference
from mmjax.data.folder.separated import sniff
from mmjax.errors import InputError, shown
from mmjax.types import LONGEST_NAME, RESERVED, add_modality_name

LENGTHS = ("length", "lengths", "steps", "len")  # arrays of valid steps
IDS = ("tokens", "ids", "input_ids", "words")  # arrays of ids


@dataclasses.dataclass
class Found:
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


def look_into(folder: Path) -> Found:
    """What was found in a folder.

    Raises:
      InputError: if the folder does not exist or cannot be read; a file that cannot be read is among the questions.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the one that holds your files")
    try:
        paths = [path for path in sorted(folder.iterdir()) if path.name != FILE and not is_leftover(path.name)]
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); change its permissions") from error
    found = Found()
    for look in (_of_table, _of_arrays, _of_saved, _of_media):  # tables first: they name the files of folders
        for path in paths:
            try:
                look(found, path)
            except InputError as error:
                found.questions.append(f"{path.name} is left out: {error}")
            except OSError as error:
                found.questions.append(f"{path.name} is left out: it cannot be read ({error.strerror})")
    if any(path.suffix.lower() in media.IMAGES + media.SOUNDS for path in paths):
        _of_media(found, folder, ".")
    return found


def _of_table(found: Found, path: Path) -> None:
    if not tables.is_table(path):
        return
    place = {"file": path.name}
    if path.suffix.lower() != ".parquet":
        mark = sniff(path)
        if mark != ("\t" if path.suffix.lower() == ".tsv" else ","):
            place["delimiter"] = "tab" if mark == "\t" else mark
    mark = place.get("delimiter", "")
    table = tables.read_table(path, DELIMITERS.get(mark, mark))
    _of_columns(found, path.stem, place, table.frame.columns, lambda column: table.strings(column).tolist())
    found.distinct.append({c for c in table.frame.columns if len(set(table.strings(c)) - {""}) == table.rows})


def _of_columns(found: Found, name: str, place: dict, columns: Iterable[str], cells_of) -> None:
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


def _of_arrays(found: Found, path: Path) -> None:
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


def _of_saved(found: Found, path: Path) -> None:
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


def _of_media(found: Found, path: Path, file: str = "") -> None:
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


def _names(found: Found, kind: str, file: str, held: dict) -> dict:
    """The table and column that name the most files of a folder or archive, if any does."""
    best, most = {}, 0
    for of_kind, place, cells in found.names:
        reference = Reference(0, file, names=place["file"])
        hits = sum(name in held for name in members_named(filter(None, cells), held, reference))
        if of_kind == kind and hits > most:
            best, most = place, hits
    return {"names" if key == "file" else key: value for key, value in best.items()}
