"""Images and sounds, one file an example."""

from __future__ import annotations

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
SOUNDS = (".wav", ".flac", ".ogg")
LARGEST = 64  # pixels a side of images, where no size is given
MOST_PIXELS = 2**26  # of an image file


def read_images(files: Sequence[tuple[str, Path | bytes | None]], size: tuple[int, int]) -> np.ndarray:
    """Images uint8 [n, height, width, 1 or 3]; black where the file is None.

    Args:
      files: how each is called in a complaint, and its path, its bytes, or None.
      size: height and width; zeros take the files' median, LARGEST at most.

    Raises:
      InputError: naming the first that cannot be read or is too large.
    """
    from PIL import Image

    images = [None if file is None else _image(name, file) for name, file in files]
    there = [image for image in images if image is not None]
    if not any(size):
        size = tuple(int(min(np.median([image.size[axis] for image in there] or [1]), LARGEST)) for axis in (1, 0))
    mode = "L" if all(image.mode in ("L", "1", "I;16") for image in there) else "RGB"
    blank = np.zeros((*size, 1 if mode == "L" else 3), np.uint8)
    arrays = []
    for image in images:
        if image is None:
            arrays.append(blank)
            continue
        resized = image.convert(mode).resize((size[1], size[0]), Image.Resampling.LANCZOS)
        arrays.append(np.asarray(resized).reshape(blank.shape))
    return np.stack(arrays)


def read_sounds(
    files: Sequence[tuple[str, Path | bytes | None]], rate: int, seconds: float
) -> tuple[np.ndarray, np.ndarray, int]:
    """Sounds float32 [n, samples] in [-1, 1], one channel, padded; their lengths; and their rate.

    Args:
      files: how each is called in a complaint, and its path, its bytes, or None.
      rate: samples a second that all are brought to; 0 takes the most frequent.
      seconds: kept of each, from the beginning; 0 keeps all.

    Raises:
      InputError: naming the first that cannot be read or holds no sample.
    """
    from scipy.signal import resample_poly

    sounds = [None if file is None else _sound(name, file) for name, file in files]
    rates = Counter(found for sound in sounds if sound is not None for found in [sound[1]])
    rate = rate or (rates.most_common(1)[0][0] if rates else 1)
    waves = []
    for sound in sounds:
        wave = np.zeros(1, np.float32) if sound is None else sound[0]
        if sound is not None and sound[1] != rate:
            divisor = np.gcd(rate, sound[1])
            wave = resample_poly(wave, rate // divisor, sound[1] // divisor).astype(np.float32)
        waves.append(wave[: max(1, round(seconds * rate))] if seconds else wave)
    lengths = np.array([len(wave) for wave in waves], np.int32)
    padded = np.zeros((len(waves), lengths.max()), np.float32)
    for row, wave in enumerate(waves):
        padded[row, : len(wave)] = wave
    return padded, lengths, rate


def _image(name: str, file: Path | bytes):
    from PIL import Image

    with reading(Path(name)), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
            if image.size[0] * image.size[1] > MOST_PIXELS:
                raise InputError(f"{name} is {image.size[0]} x {image.size[1]} pixels; accepted are {MOST_PIXELS:,}")
            image.load()
            return image.copy()


def _sound(name: str, file: Path | bytes) -> tuple[np.ndarray, int]:
    import soundfile

    with reading(Path(name)):
        wave, rate = soundfile.read(
            io.BytesIO(file) if isinstance(file, bytes) else file, dtype="float32", always_2d=True
        )
    if not len(wave):
        raise InputError(f"{name} holds no sample; record it again or leave its cell empty")
    if not np.isfinite(wave).all():
        raise InputError(f"{name} holds samples that are not finite; save it again")
    return wave.mean(axis=1), int(rate)
