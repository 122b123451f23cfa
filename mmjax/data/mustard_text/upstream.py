"""MUStARD as its authors publish it: `data/sarcasm_data.json`, a clip's name -> what is said in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import strings_of
from mmjax.data.dataset import Columns
from mmjax.data.sources import Source, reading
from mmjax.errors import InputError

REPOSITORY = "https://github.com/soujanyaporia/MUStARD"
FILE = "sarcasm_data.json"
SOURCES = (Source("mustard_text", FILE, "", f"{REPOSITORY} (data)"),)
FOLDS = Path(__file__).with_name("folds.tsv")  # the authors' speaker-dependent ones, which upstream keeps in a pickle
FIELDS = {"utterance": str, "speaker": str, "show": str, "context": list, "context_speakers": list, "sarcasm": bool}


def read_upstream(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """ "train" -> column -> [n]; a context is "SPEAKER: line | SPEAKER: line".

    Raises:
      InputError: if the file is broken, or a clip lacks a field or is none of the authors'.
    """
    path = paths[FILE]
    with reading(path):
        clips = dict(json.loads(path.read_text(encoding="utf-8")))
    if not clips:
        raise InputError(f"{path} holds no clip; get it again from {REPOSITORY}")
    folds = dict(line.split("\t") for line in FOLDS.read_text(encoding="utf-8").splitlines()[1:])
    for name, clip in clips.items():
        for field, kind in FIELDS.items():
            if not isinstance(clip, dict) or not isinstance(clip.get(field), kind):
                raise InputError(f"{path}: clip {name!r} has no {field} that is a {kind.__name__}; get it again")
        if name not in folds:
            raise InputError(f"{path}: clip {name!r} is in none of the authors' folds; get it again from {REPOSITORY}")
    columns = {
        field: strings_of([clip[field] for clip in clips.values()]) for field in ("utterance", "speaker", "show")
    }
    columns["context"] = strings_of([_context(clip) for clip in clips.values()])
    columns["fold"] = np.array([int(folds[name]) for name in clips])
    columns["label"] = np.array([int(clip["sarcasm"]) for clip in clips.values()])
    columns["has_context"] = np.array([bool(text.strip()) for text in columns["context"]])
    return {"train": columns}


def _context(clip: Mapping) -> str:
    """Lines with their speakers, as far as upstream names them."""
    speakers = [*clip["context_speakers"], *[""] * len(clip["context"])]
    return " | ".join(f"{who}: {line}" if who else line for who, line in zip(speakers, clip["context"], strict=False))
