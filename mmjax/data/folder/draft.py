"""A first task.yaml, by looking at the files of a folder; a person corrects it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmjax.data.folder import arrays, media, saved_datasets, tables
from mmjax.data.folder.schema import FILE
from mmjax.errors import InputError

TARGETS = ("label", "target", "class", "y", "diagnosis", "outcome")
IDS = ("id", "key", "patient", "subject", "name", "uid")
SPLIT_NAMES = ("split", "fold", "partition", "subset")
LONG_TEXT = 20  # characters on average, above which a column of different strings is a text
MANY = 0.5  # share of different values, above which a column of strings is no category


def draft(folder: Path) -> str:
    """The text of a task.yaml.

    Raises:
      InputError: if the folder does not exist or holds nothing that is known.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the one that holds your files")
    modalities, target, extra, names = {}, None, [], {}
    for path in sorted(folder.iterdir()):
        if path.suffix in tables.SUFFIXES:
            found, label, more, named = _of_table(folder, path)
            modalities |= {key: value for key, value in found.items() if key not in modalities}
            target, extra, names = target or label, extra or more, names | named
    for path in sorted(folder.iterdir()):
        if path.suffix in arrays.SUFFIXES:
            found, label = _of_arrays(path)
            modalities |= found
            target = target or label
        elif saved_datasets.is_saved(path):
            saved = saved_datasets.read_saved(path)
            columns = next(iter(saved.tables.values())).column_names
            modalities |= {c: f"{{kind: text, file: {path.name}, column: {c}}}  # correct the kind" for c in columns}
        elif path.is_dir() or path.suffix == ".zip":
            modalities |= _of_media(path, names)
    if not modalities:
        raise InputError(f"{folder} holds no table, array, image, sound or saved data set; put your files there")
    lines = [
        f"# A draft made by looking at the files: correct it, then run `python -m experiments.data check {folder}`."
    ]
    lines += extra + ["modalities:"] + [f"  {name}: {value}" for name, value in modalities.items()]
    lines.append(f"target: {target or '{file: ?, column: ?}  # what is to be predicted'}")
    if not any(line.startswith("splits") for line in extra):
        lines.append("splits: random_80_20")
    return "\n".join(lines) + "\n"


def _of_table(folder: Path, path: Path):
    table = tables.read_table(path)
    numbers, texts, target, extra, names = [], {}, None, [], {}
    for column in table.frame.columns:
        values = table.strings(column)
        there = values[values != ""]
        different = len(set(there)) / max(len(there), 1)
        suffix = Path(there[0]).suffix.lower() if len(there) else ""
        low = column.lower()
        if suffix in media.IMAGES + media.SOUNDS:
            names["image" if suffix in media.IMAGES else "waveform"] = (path.name, column)
        elif low in SPLIT_NAMES:
            extra.append(f"splits: {{file: {path.name}, column: {column}}}")
        elif low in IDS and different == 1:
            extra.append(f"id: {column}")
        elif low in TARGETS and target is None:
            target = f"{{file: {path.name}, column: {column}}}"
        elif len(there) and different > MANY and np.mean([len(text) for text in there]) > LONG_TEXT:
            texts[column] = f"{{kind: text, file: {path.name}, column: {column}}}"
        else:
            numbers.append(column)
    found = dict(texts)
    if numbers:
        found[path.stem] = f"{{kind: table, file: {path.name}, columns: [{', '.join(numbers)}]}}"
    return found, target, extra, names


def _of_arrays(path: Path):
    found, target = {}, None
    for name in arrays.names_of(path) if path.suffix == ".npz" else [""]:
        array = arrays.read_array(path, name)
        of = f", array: {name}" if name else ""
        kind = {2: "vector", 3: "sequence", 4: "image", 5: "video"}.get(array.ndim)
        if array.ndim == 1 and (name.lower() in TARGETS):
            target = f"{{file: {path.name}, array: {name}}}"
        elif array.dtype.kind == "U":
            found[name or path.stem] = f"{{kind: text, file: {path.name}{of}}}"
        elif kind:
            found[name or path.stem] = f"{{kind: {kind}, file: {path.name}{of}}}"
    return found, target


def _of_media(path: Path, names: dict) -> dict[str, str]:
    from mmjax.data.folder.places import contents

    suffixes = {Path(name).suffix.lower() for name in contents(path)}
    for kind, accepted in (("image", media.IMAGES), ("waveform", media.SOUNDS)):
        if suffixes & set(accepted):
            by = f", names: {names[kind][0]}, column: {names[kind][1]}" if kind in names else ""
            return {path.stem: f"{{kind: {kind}, file: {path.name}{by}}}"}
    return {}


def write_draft(folder: Path, force: bool) -> Path:
    """Writes the draft into the folder.

    Raises:
      InputError: if there is a task.yaml and `force` is not given.
    """
    path = folder / FILE
    text = draft(folder)
    if path.exists() and not force:
        raise InputError(f"{path} is there already; move it away, or give --force to write over it")
    path.write_text(text, encoding="utf-8")
    return path
