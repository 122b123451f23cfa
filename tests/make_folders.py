"""Writes a folder with a task of one's own, and ten that are broken, each in its own way.

python tests/make_folders.py <where>
"""

from __future__ import annotations

import csv
import sys
import zipfile
from pathlib import Path

import numpy as np

ROWS = 60
TASK = """\
name: clinic
source: made up
id: visit
modalities:
  scan: {kind: image, file: scans, names: visits.csv, column: scan}
  voice: {kind: waveform, file: voices, names: visits.csv, column: recording}
  vitals: {kind: table, file: visits.csv, columns: [age, ward]}
  note: {kind: text, file: visits.csv, column: note}
target: {file: visits.csv, column: diagnosis}
splits: random_80_20
groups: {file: visits.csv, column: patient}
"""
HEADING = ("visit", "patient", "age", "ward", "note", "scan", "recording", "diagnosis")


def write_good(folder: Path) -> Path:
    """CSV, images and sounds; a few cells are empty. Every modality tells the diagnosis."""
    from PIL import Image
    from scipy.io import wavfile

    generator = np.random.default_rng(0)
    for name in ("scans", "voices"):
        (folder / name).mkdir(parents=True)
    rows = []
    for visit in range(ROWS):
        ill = visit % 2
        shade = np.full((10, 12), 60 + 120 * ill) + generator.integers(0, 30, (10, 12))
        Image.fromarray(shade.astype(np.uint8)).save(folder / "scans" / f"{visit}.png")
        tone = 8000 * np.sin(2 * np.pi * (200 + 400 * ill) * np.arange(400 + visit) / 2000)
        wavfile.write(folder / "voices" / f"{visit}.wav", 2000, tone.astype(np.int16))
        note = f"the patient {'coughs and is tired' if ill else 'feels well today'}, visit {visit}"
        age = "" if visit == 7 else str(30 + 20 * ill + int(generator.integers(0, 9)))
        scan = "" if visit == 11 else f"{visit}.png"
        rows.append([visit, visit // 2 % 20, age, "ab"[visit % 2 if visit % 5 else 0], note, scan, f"{visit}.wav",
                     "ill" if ill else "healthy"])  # fmt: skip
    write_rows(folder, rows)
    (folder / "task.yaml").write_text(TASK)
    return folder


def write_rows(folder: Path, rows: list, heading: tuple = HEADING, delimiter: str = ",") -> None:
    """visits.csv."""
    with open(folder / "visits.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([heading, *rows])


def read_rows(folder: Path) -> list:
    """The lines of visits.csv below its heading."""
    with open(folder / "visits.csv", newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))[1:]


def change(folder: Path, row: int, column: str, value: str) -> None:
    """One cell of visits.csv."""
    rows = read_rows(folder)
    rows[row][HEADING.index(column)] = value
    write_rows(folder, rows)


def yaml(folder: Path, old: str, new: str) -> None:
    """A part of task.yaml."""
    text = (folder / "task.yaml").read_text()
    assert old in text, old
    (folder / "task.yaml").write_text(text.replace(old, new))


def zip_slip(folder: Path) -> None:
    """The sounds in an archive that leads out of itself."""
    with zipfile.ZipFile(folder / "voices.zip", "w") as archive:
        archive.writestr("../0.wav", b"")
    yaml(folder, "file: voices,", "file: voices.zip,")


ARRAYS_TASK = """\
modalities:
  table: {kind: vector, file: data.npz, array: table}
  gait: {kind: sequence, file: data.npz, array: gait, lengths: steps}
  words: {kind: tokens, file: words.npy}
  picture: {kind: image, file: data.npz, array: picture}
  sound: {kind: waveform, file: data.npz, array: sound, rate: 100}
  cloud: {kind: points, file: data.npz, array: cloud}
  film: {kind: video, file: data.npz, array: film}
target: {file: data.npz, array: label}
splits: fold
"""


def arrays_of(n=50):
    """What data.npz and words.npy hold."""
    generator = np.random.default_rng(1)
    label = np.arange(n) % 2
    return {
        "table": generator.normal(size=(n, 3)) + 3 * label[:, None],
        "gait": generator.normal(size=(n, 6, 2)),
        "steps": generator.integers(2, 7, n),
        "picture": generator.integers(0, 255, (n, 4, 5)).astype(np.uint8),
        "sound": generator.uniform(-1, 1, (n, 60)).astype(np.float32),
        "cloud": generator.normal(size=(n, 7, 3)),
        "film": generator.integers(0, 255, (n, 2, 4, 4, 1)).astype(np.uint8),
        "label": label,
    }


def write_arrays(folder, **changed):
    """A folder of arrays, some of them others; None leaves one out."""
    folder.mkdir(exist_ok=True)
    arrays = {name: array for name, array in (arrays_of() | changed).items() if array is not None}
    np.savez(folder / "data.npz", **arrays)
    np.save(folder / "words.npy", np.random.default_rng(2).integers(1, 9, (50, 5)))
    (folder / "task.yaml").write_text(ARRAYS_TASK)
    return folder


# What is done to the good folder, and a word of the sentence that must follow.
TEN = {
    "unknown_key": (lambda f: yaml(f, "source: made up", "sourse: made up"), "did you mean 'source'"),
    "unknown_column": (lambda f: yaml(f, "[age, ward]", "[age, wart]"), "did you mean 'ward'"),
    "missing_label": (lambda f: change(f, 4, "diagnosis", ""), "the target is missing"),
    "missing_image_file": (lambda f: (f / "scans" / "3.png").unlink(), "3.png"),
    "broken_image": (lambda f: (f / "scans" / "3.png").write_bytes(b"no image"), "3.png"),
    "empty_sound": (lambda f: _silence(f), "holds no sample"),
    "key_twice": (lambda f: change(f, 9, "visit", "8"), "is there twice"),
    "wrong_delimiter": (lambda f: write_rows(f, read_rows(f), delimiter=";"), "delimiter"),
    "leads_out": (zip_slip, "leads out"),
    "one_class": (lambda f: [change(f, row, "diagnosis", "ill") for row in range(ROWS)], "classes are 'ill'"),
}


def _silence(folder: Path) -> None:
    from scipy.io import wavfile

    wavfile.write(folder / "voices" / "3.wav", 2000, np.zeros(0, np.int16))


def main(where: Path) -> None:
    """All eleven."""
    write_good(where / "good")
    for name, (damage, _) in TEN.items():
        damage(write_good(where / name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
