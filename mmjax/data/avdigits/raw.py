"""The raw files of `avdigits`: MNIST's images, FSDD's recordings and ESC-10's noises."""

import gzip
import io
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmjax.data.sources import Source, reading
from mmjax.data.transforms.audio import Loudest, Resample
from mmjax.data.transforms.contract import Column, apply_steps
from mmjax.errors import InputError

VERSION = "1.0.0"  # of the prepared data
CLASSES = 10
SIDE = 28  # pixels
RATE = 8000  # samples per second, of recordings and noises

MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist"
MNIST = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
FSDD_URL = "https://github.com/Jakobovski/free-spoken-digit-dataset"
FSDD_COMMIT = "26eb9aaf76e81b692f806f9140c2d2777410d7a1"
FSDD_FILE = "free-spoken-digit-dataset-master.zip"
NOISE_FILE = "esc10_8k_2s.npz"
NOISE_SECONDS = 2  # kept of a clip, where it is loudest
LOUDEST = (Resample(RATE), Loudest(NOISE_SECONDS))

CLEAN_SOURCES = (
    *(Source("mnist", file, f"{MNIST_URL}/{file}", MNIST_URL) for pair in MNIST.values() for file in pair),
    Source("fsdd", FSDD_FILE, f"{FSDD_URL}/archive/{FSDD_COMMIT}.zip", FSDD_URL),
)
# ESC-10's clips are cut and resampled, so there is no address of the result; upstream's own folder serves too.
HARD_SOURCES = (
    *CLEAN_SOURCES,
    Source(
        "esc10_noise",
        NOISE_FILE,
        "",
        "github.com/karoldvl/ESC-10, each clip's loudest 2 s at 8 kHz (see avdigits/README.md)",
        instead="ESC-10-master",
    ),
)


class Recordings(NamedTuple):
    """Spoken digits, in order of (digit, speaker, take).

    Attributes:
      names: file names without extension, `7_jackson_32`.
      labels: int64 [n], the digit said.
      takes: int64 [n], which of a speaker's recordings of that digit.
      waves: int16 [samples] each, at 8 kHz.
    """

    names: list[str]
    labels: np.ndarray
    takes: np.ndarray
    waves: list[np.ndarray]


class Noises(NamedTuple):
    """Clips of one length: names, folds int64 [n] in 1..5, waves int16 [n, samples] at 8 kHz."""

    names: list[str]
    folds: np.ndarray
    waves: np.ndarray


def read_digits(images_path: Path, labels_path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, 28, 28] and labels int64 [n] in 0..9, from a pair of idx files.

    Raises:
      InputError: if a file is broken, they disagree on n, or a label is no digit.
    """
    images, labels = _read_idx(images_path, 3), _read_idx(labels_path, 1).astype(np.int64)
    if images.shape[1:] != (SIDE, SIDE) or not len(images):
        raise InputError(f"{images_path}: images are {images.shape}, and must be (n, {SIDE}, {SIDE})")
    if len(images) != len(labels):
        raise InputError(
            f"{images_path} holds {len(images)} images and {labels_path} {len(labels)} labels; get both again"
        )
    if labels.max() >= CLASSES:
        row = int(np.argmax(labels >= CLASSES))
        raise InputError(f"{labels_path}: label in row {row} is {labels[row]}; accepted are 0 to {CLASSES - 1}")
    return images, labels


def read_recordings(path: Path) -> Recordings:
    """Every `<digit>_<speaker>_<take>.wav` in FSDD's archive.

    Raises:
      InputError: if the archive or a recording is broken, or none is there.
    """
    import scipy.io.wavfile

    found = {}
    with reading(path), zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            match = re.search(r"recordings/(\d)_(\w+)_(\d+)\.wav$", member)
            if match:
                rate, wave = scipy.io.wavfile.read(io.BytesIO(archive.read(member)))
                if rate != RATE or wave.dtype != np.int16 or wave.ndim != 1 or not len(wave):
                    raise InputError(f"{path}: {member} must be one channel of 16 bits at {RATE} Hz")
                found[int(match[1]), match[2], int(match[3])] = wave
    if not found:
        raise InputError(f"{path} holds no recordings/<digit>_<speaker>_<take>.wav; get it from {FSDD_URL}")
    keys = sorted(found)
    return Recordings(
        names=["_".join(map(str, key)) for key in keys],
        labels=np.array([digit for digit, _, _ in keys]),
        takes=np.array([take for _, _, take in keys]),
        waves=[found[key] for key in keys],
    )


def read_noises(path: Path, least: int) -> Noises:
    """Noise clips of at least `least` samples, from the archive or from upstream's folder of Ogg files.

    Raises:
      InputError: if the file is broken, lacks an array, or an array is not what it must be.
    """
    if path.is_dir():
        return read_clips(path)
    with reading(path), np.load(path, allow_pickle=False) as arrays:
        wave, fold, names, rate = (arrays[name] for name in ("wave", "fold", "filename", "sample_rate"))
    if wave.dtype != np.int16 or wave.ndim != 2 or wave.shape[1] < least or int(rate) != RATE:
        raise InputError(
            f"{path}: wave is {wave.dtype} {wave.shape} at {rate} Hz, and must be int16 (n, >= {least}) at {RATE} Hz"
        )
    if not len(wave) == len(fold) == len(names):
        raise InputError(
            f"{path}: wave, fold and filename have {len(wave)}, {len(fold)} and {len(names)} rows; get it again"
        )
    return Noises([str(name) for name in names], fold.astype(np.int64), wave)


def read_clips(folder: Path) -> Noises:
    """The loudest NOISE_SECONDS of every `<fold>-<freesound id>-<take>.ogg` below a folder, at 8 kHz, by name.

    Raises:
      InputError: if there is none, or one is broken or shorter.
    """
    import soundfile

    found = {path.name: path for path in folder.rglob("*.ogg") if re.fullmatch(r"[1-5]-\w+-\w+\.ogg", path.name)}
    if not found:
        raise InputError(f"{folder} holds no <fold>-<id>-<take>.ogg; get it from github.com/karoldvl/ESC-10")
    waves = []
    for name in sorted(found):
        with reading(found[name]):
            wave, rate = soundfile.read(found[name], dtype="float32", always_2d=True)
        if len(wave) < NOISE_SECONDS * rate:
            raise InputError(f"{found[name]} is {len(wave) / rate:.2f} s long, and must be {NOISE_SECONDS} or more")
        sound = Column(wave.mean(axis=1)[None], np.ones(1, bool), rate=float(rate))
        loudest = apply_steps(LOUDEST, [{}, {"samples": NOISE_SECONDS * RATE}], sound).values[0]
        waves.append(np.clip(np.round(32768 * loudest), -32768, 32767).astype(np.int16))
    folds = np.array([int(name[0]) for name in sorted(found)])
    return Noises(sorted(found), folds, np.stack(waves))


def _read_idx(path: Path, axes: int) -> np.ndarray:
    """An idx file of bytes: zero, zero, type 8, number of axes, big-endian sizes, values."""
    with reading(path), gzip.open(path) as file:
        content = file.read()
        if content[:4] != bytes([0, 0, 8, axes]):
            raise InputError(f"{path} is no idx file of bytes with {axes} axes; get it from {MNIST_URL}")
        shape = np.frombuffer(content, ">u4", count=axes, offset=4).astype(int)
        return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
