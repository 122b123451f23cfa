"""The raw file of `mosi`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import by_split, check_codes, read_archive, strings_of
from mmjax.data.dataset import Columns
from mmjax.data.sources import Source

REPOSITORY = "https://github.com/soujanyaporia/contextual-utterance-level-multimodal-sentiment-analysis"
FILE = "mosi.npz"
SOURCES = (Source("mosi", FILE, "", f"{REPOSITORY} (see mosi/README.md)"),)
FEATURES = {"text": 100, "audio": 73, "video": 100}
CONTEXT = 16  # utterances of a video up to the one that is judged, at most
FIELDS = {name: ("numbers", "n", width) for name, width in FEATURES.items()} | {
    "label": ("whole numbers", "n"),
    "video_id": ("strings", "n"),
    "segment": ("whole numbers", "n"),
    "transcript": ("strings", "n"),
    "split": ("whole numbers", "n"),
}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...]; `<name>_context` holds the utterances up to this one, `context_length` how many.

    Raises:
      InputError: if the file is broken or lacks an array.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS)
    before, lengths = context_of(raw["video_id"], raw["segment"])
    columns = {"context_length": lengths}
    for name in FEATURES:
        values = raw[name].astype(np.float32)
        columns[name] = values
        columns[f"{name}_context"] = np.where((before >= 0)[..., None], values[before], 0)
    columns |= {
        "transcript": strings_of(raw["transcript"]),
        "video_id": strings_of(raw["video_id"]),
        "label": check_codes(path, "label", raw["label"], 2),
    }
    return by_split(columns, check_codes(path, "split", raw["split"], 3))


def context_of(videos: np.ndarray, segments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of each utterance's context [n, CONTEXT], in the video's order, the last its own, then -1; and how many."""
    rows = np.full((len(videos), CONTEXT), -1)
    lengths = np.empty(len(videos), np.int32)
    for video in np.unique(videos):
        of_video = np.flatnonzero(videos == video)
        of_video = of_video[np.argsort(segments[of_video], kind="stable")]
        for place, row in enumerate(of_video):
            context = of_video[max(0, place + 1 - CONTEXT) : place + 1]
            rows[row, : len(context)], lengths[row] = context, len(context)
    return rows, lengths
