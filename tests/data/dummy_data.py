"""Writes the builders' `dummy_data`: tiny files in the upstream formats, nothing of upstream in them.

python tests/data/dummy_data.py
"""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import scipy.io

from mmjax.data.avdigits import log_mel, raw
from mmjax.data.handwritten import views

ROOT = Path(__file__).parents[2] / "mmjax" / "data"
GENERATOR = np.random.default_rng(0)


def write_handwritten(folder: Path) -> None:
    """100 and 20 examples; every feature is the class plus a small whole number."""
    arrays = {}
    for split, n in (("train", 100), ("test", 20)):
        classes = np.arange(n) % views.CLASSES + 1
        arrays[f"gt_{split}"] = classes[:, None].astype(np.uint8)
        for index, width in enumerate(views.VIEWS.values(), start=1):
            arrays[f"x{index}_{split}"] = (classes[:, None] + GENERATOR.integers(0, 3, (n, width))).astype(np.uint8)
    scipy.io.savemat(folder / views.FILE, arrays, do_compression=True)


def write_mnist(folder: Path) -> None:
    """120 and 20 images: a bar for each digit, on noise."""
    for (images_file, labels_file), n in zip(raw.MNIST.values(), (120, 20), strict=True):
        labels = (np.arange(n) % raw.CLASSES).astype(np.uint8)
        images = GENERATOR.integers(0, 32, (n, raw.SIDE, raw.SIDE)).astype(np.uint8)
        images[np.arange(n), 4 + 2 * labels] = 255
        for file, array in ((images_file, images), (labels_file, labels)):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
            (folder / file).write_bytes(gzip.compress(header + array.tobytes(), mtime=0))


def write_recordings(folder: Path) -> None:
    """For each digit and of two speakers a tone, takes 0, 1 (test), 5, 6 (validation) and 10 to 12 (train)."""
    with zipfile.ZipFile(folder / raw.FSDD_FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        for digit in range(raw.CLASSES):
            for speaker, samples in (("ada", 800), ("bob", 1200)):
                for take in (0, 1, 5, 6, 10, 11, 12):
                    tone = 4000 * np.sin(2 * np.pi * (300 + 300 * digit) * np.arange(samples + 16 * take) / raw.RATE)
                    file = io.BytesIO()
                    scipy.io.wavfile.write(file, raw.RATE, tone.astype(np.int16))
                    name = zipfile.ZipInfo(f"free-spoken-digit-dataset-master/recordings/{digit}_{speaker}_{take}.wav")
                    archive.writestr(name, file.getvalue(), zipfile.ZIP_DEFLATED)


def write_noises(folder: Path) -> None:
    """Two clips a fold of quiet white noise."""
    folds = np.repeat(np.arange(1, 6), 2).astype(np.uint8)
    np.savez_compressed(
        folder / raw.NOISE_FILE,
        wave=GENERATOR.integers(-4, 5, (len(folds), log_mel.SAMPLES + 500)).astype(np.int16),
        fold=folds,
        filename=np.array([f"{fold}-{index}-A.ogg" for index, fold in enumerate(folds)]),
        sample_rate=np.int32(raw.RATE),
    )


if __name__ == "__main__":
    for folder, writers in (
        (ROOT / "handwritten" / "dummy_data", (write_handwritten,)),
        (ROOT / "avdigits" / "dummy_data", (write_mnist, write_recordings, write_noises)),
    ):
        folder.mkdir(exist_ok=True)
        for write in writers:
            write(folder)
