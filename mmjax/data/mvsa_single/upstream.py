"""MVSA-Single as its upstream keeps it: `data/<guid>.jpg` and `data/<guid>.txt`, and `train.txt` with the labels."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import strings_of
from mmjax.data.dataset import Columns
from mmjax.data.sources import Source, reading
from mmjax.errors import InputError
from mmjax.types import SPLITS

REPOSITORY = "https://github.com/liyunfan1223/multimodal-sentiment-analysis"
FOLDER, LABELS = "data", "train.txt"
SOURCES = tuple(Source("mvsa_single", name, "", REPOSITORY) for name in (FOLDER, LABELS))
PLACES = Path(__file__).with_name("splits.tsv")  # ours, 70/10/20; upstream has no test split with labels
SIDE = 48  # pixels
FEELINGS = ("negative", "neutral", "positive")
ENCODINGS = ("utf-8", "gb18030", "latin-1")  # some texts have broken bytes; the last reads any


def read_upstream(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...]; pictures are cut to their middle square and made SIDE pixels wide.

    Raises:
      InputError: if the labels are broken, or a labelled pair lacks a file or cannot be read.
    """
    labels = _read_labels(paths[LABELS])
    split_of = dict(line.split("\t") for line in PLACES.read_text(encoding="utf-8").splitlines()[1:])
    unknown = [guid for guid in labels if guid not in split_of]
    if unknown or not labels:
        what = f"names {unknown[0]!r}, which no split has" if unknown else "names no pair"
        raise InputError(f"{paths[LABELS]} {what}; get it again from {REPOSITORY}")
    splits = {}
    for split in SPLITS:
        chosen = [guid for guid in split_of if split_of[guid] == split and guid in labels]
        if chosen:
            splits[split] = {
                "image": np.stack([_read_picture(paths[FOLDER] / f"{guid}.jpg") for guid in chosen]),
                "text": strings_of([_read_text(paths[FOLDER] / f"{guid}.txt") for guid in chosen]),
                "label": np.array([FEELINGS.index(labels[guid]) for guid in chosen]),
            }
    return splits


def _read_labels(path: Path) -> dict[str, str]:
    """guid -> feeling, of lines "guid,tag" below a heading."""
    with reading(path):
        lines = path.read_text(encoding="utf-8").split()
    labels = {}
    for number, line in enumerate(lines[1:], start=2):
        guid, _, tag = line.partition(",")
        if tag not in FEELINGS:
            raise InputError(f"{path}: line {number} is {line!r}; accepted are <guid>,<{' or '.join(FEELINGS)}>")
        labels[guid] = tag
    return labels


def _read_picture(path: Path) -> np.ndarray:
    """uint8 [SIDE, SIDE, 3]."""
    from PIL import Image

    with reading(path), Image.open(path) as picture:
        width, height = picture.size
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        middle = picture.convert("RGB").crop((left, top, left + side, top + side))
        return np.asarray(middle.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _read_text(path: Path) -> str:
    with reading(path):
        content = path.read_bytes()
    for encoding in ENCODINGS[:-1]:
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode(encoding).strip()
    return content.decode(ENCODINGS[-1]).strip()
