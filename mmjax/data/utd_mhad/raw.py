"""The raw files of `utd_mhad`: one archive cut from upstream, or upstream's own folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import check_codes, read_archive
from mmjax.data.dataset import Columns
from mmjax.data.sources import Source, reading
from mmjax.errors import InputError

HOMEPAGE = "https://personal.utdallas.edu/~kehtar/UTD-MHAD.html"
FILE = "utd_mhad.npz"
ORIGIN = f"{HOMEPAGE} (see utd_mhad/README.md)"
SOURCES = (Source("utd_mhad", FILE, "", ORIGIN),)
FOLDERS = {"depth": "Depth", "inertial": "Inertial", "skeleton": "Skeleton"}
UPSTREAM = tuple(Source("utd_mhad", folder, "", ORIGIN) for folder in FOLDERS.values())

ACTIONS = (
    "swipe_left", "swipe_right", "wave", "clap", "throw", "arm_cross", "basketball_shoot", "draw_x",
    "draw_circle_cw", "draw_circle_ccw", "draw_triangle", "bowling", "boxing", "baseball_swing", "tennis_swing",
    "arm_curl", "tennis_serve", "push", "knock", "catch", "pickup_throw", "jog", "walk", "sit2stand", "stand2sit",
    "lunge", "squat",
)  # fmt: skip
PEOPLE = 8
FRAMES, HEIGHT, WIDTH = 16, 48, 64
JOINTS, SENSORS = 20, 6
LONGEST = {"inertial": 326, "skeleton": 125}
BLOCK, UNIT = 5, 16  # pixels a side that are averaged; millimetres a step of depth
FIELDS = {
    "inertial": ("numbers", None, SENSORS),
    "inertial_offset": ("whole numbers", None),
    "skeleton_mm": ("numbers", None, JOINTS, 3),
    "skeleton_offset": ("whole numbers", None),
    "depth": ("whole numbers", "n", FRAMES, HEIGHT, WIDTH),
    "label": ("whole numbers", "n"),
    "subject": ("whole numbers", "n"),
}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...], from the archive.

    Raises:
      InputError: if the file is broken or lacks an array.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS)
    sequences = {
        "inertial": _pieces(path, "inertial", raw["inertial"], raw["inertial_offset"]),
        "skeleton": _pieces(path, "skeleton", raw["skeleton_mm"].reshape(-1, 3 * JOINTS), raw["skeleton_offset"]),
    }
    labels = check_codes(path, "label", raw["label"], len(ACTIONS))
    for name, pieces in sequences.items():
        if len(pieces) != len(labels):
            raise InputError(f"{path}: {name}_offset tells of {len(pieces)} recordings and label of {len(labels)}")
    return _by_person(path, raw["depth"], sequences, labels, raw["subject"])


def read_upstream(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """The same from upstream's folders: `a<action>_s<person>_t<trial>_<depth|inertial|skeleton>.mat`.

    Raises:
      InputError: if a folder holds no recording, one lacks its counterpart, or a file is broken.
    """
    import scipy.io

    found = {}
    for name, folder in FOLDERS.items():
        for path in sorted(paths[folder].glob("*.mat")):
            match = re.fullmatch(rf"a(\d+)_s(\d+)_t(\d+)_{name}\.mat", path.name)
            if match:
                found.setdefault(tuple(map(int, match.groups())), {})[name] = path
    if not found:
        raise InputError(f"{paths['Depth']} holds no a<action>_s<person>_t<trial>_depth.mat; get it from {HOMEPAGE}")
    depth, sequences = [], {"inertial": [], "skeleton": []}
    for (action, person, trial), files in sorted(found.items()):
        for name, folder in FOLDERS.items():
            if name not in files:
                raise InputError(
                    f"{paths[folder]} lacks a{action}_s{person}_t{trial}_{name}.mat; get it from {HOMEPAGE}"
                )
        values = {}
        for name, key, axes in (("depth", "d_depth", 3), ("inertial", "d_iner", 2), ("skeleton", "d_skel", 3)):
            with reading(files[name]):
                values[name] = scipy.io.loadmat(files[name])[key]
            if values[name].ndim != axes or values[name].dtype.kind not in "biuf":
                raise InputError(
                    f"{files[name]}: {key} is {values[name].dtype} {values[name].shape}, not {axes} axes of numbers"
                )
        depth.append(reduce_depth(values["depth"]))
        sequences["inertial"].append(values["inertial"].astype(np.float32))
        joints = values["skeleton"].transpose(2, 0, 1)  # upstream: [joint, axis, frame], in metres
        sequences["skeleton"].append(np.round(1000 * joints).reshape(len(joints), -1).astype(np.float32))
    keys = np.array(sorted(found))
    labels = check_codes(paths["Depth"], "action", keys[:, 0] - 1, len(ACTIONS))
    return _by_person(paths["Depth"], np.stack(depth), sequences, labels, keys[:, 1])


def reduce_depth(frames: np.ndarray) -> np.ndarray:
    """Depth [240, 320, T] in millimetres, 0 where there is nobody, as uint8 [16, 48, 64] in units of 16 mm.

    Frames are evenly spaced; a block of 5 x 5 pixels is the mean of those that show somebody.
    """
    chosen = np.linspace(0, frames.shape[2] - 1, FRAMES).round().astype(int)
    blocks = frames[:, :, chosen].transpose(2, 0, 1).reshape(FRAMES, HEIGHT, BLOCK, WIDTH, BLOCK).astype(np.float64)
    seen = (blocks > 0).sum(axis=(2, 4))
    mean = blocks.sum(axis=(2, 4)) / np.maximum(seen, 1)
    return np.clip(np.round(mean / UNIT), 0, 255).astype(np.uint8)


def _pieces(path: Path, name: str, values: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 1).any():
        raise InputError(f"{path}: {name}_offset does not rise from 0 to {len(values)}; get it again")
    return [values[a:b] for a, b in zip(offsets[:-1], offsets[1:], strict=True)]


def _by_person(path: Path, depth, sequences: Mapping[str, list], labels, people) -> dict[str, Columns]:
    """Columns of odd people as train, of even people as test; sequences are padded."""
    check_codes(path, "subject", people.astype(int) - 1, PEOPLE)
    columns = {"depth": depth, "label": labels, "person": people.astype(np.int32)}
    for name, pieces in sequences.items():
        lengths = np.array([min(len(piece), LONGEST[name]) for piece in pieces], np.int32)
        padded = np.zeros((len(pieces), LONGEST[name], pieces[0].shape[1]), np.float32)
        for row, (piece, length) in enumerate(zip(pieces, lengths, strict=True)):
            padded[row, :length] = piece[:length]
        columns |= {name: padded, f"{name}_length": lengths}
    odd = people % 2 == 1
    return {split: {n: v[rows] for n, v in columns.items()} for split, rows in (("train", odd), ("test", ~odd))}
