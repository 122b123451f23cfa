"""Sounds, one file an example, at one rate."""

from __future__ import annotations

import io
import struct
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mmjax.data.sources import reading
from mmjax.errors import InputError

UNKNOWN_SIZE = 2**31 - 2**16  # bytes; programs that write to a pipe declare such sizes or more
LAST_PAGE = 4  # the flag of an Ogg page that ends a stream
PAGE = 2**16  # bytes, more than an Ogg page has


def read_sounds(
    files: Sequence[tuple[str, Path | bytes | None]], rate: float, seconds: float
) -> tuple[np.ndarray, np.ndarray, float, list[str]]:
    """Sounds float32 [n, samples] in [-1, 1], padded; their lengths; their rate; and warnings.

    Several channels become their mean.

    Args:
      files: how each is called in a complaint, and its path, its bytes, or None.
      rate: samples a second that all are brought to; 0 takes the most frequent.
      seconds: kept of each, from the beginning; 0 keeps all.

    Raises:
      InputError: naming the first that cannot be read, lacks its end, or holds no sample.
    """
    from scipy.signal import resample_poly

    sounds = [None if file is None else _sound(name, file) for name, file in files]
    rates = Counter(sound[1] for sound in sounds if sound is not None)
    rate = int(rate) or (rates.most_common(1)[0][0] if rates else 1)
    most, waves, told = round(seconds * rate), [], []
    for sound in sounds:
        wave = np.zeros(1, np.float32) if sound is None else sound[0]
        if sound is not None and sound[1] != rate:
            divisor = np.gcd(rate, sound[1])
            wave = resample_poly(wave, rate // divisor, sound[1] // divisor).astype(np.float32)
        waves.append(wave)
    longer = [len(wave) for wave in waves if seconds and len(wave) > max(1, most)]
    if longer:
        told.append(
            f"{len(longer):,} of {len(waves):,} sounds are longer than {seconds:g} s, the longest has "
            f"{max(longer) / rate:.1f} s, and are cut; `seconds` says how many are read, 0 all"
        )
    waves = [wave[: max(1, most)] if seconds else wave for wave in waves]
    lengths = np.array([len(wave) for wave in waves], np.int32)
    padded = np.zeros((len(waves), lengths.max()), np.float32)
    for row, wave in enumerate(waves):
        padded[row, : len(wave)] = wave
    return padded, lengths, float(rate), told


def _sound(name: str, file: Path | bytes) -> tuple[np.ndarray, int]:
    import soundfile

    with reading(Path(name), own=True), io.BytesIO(file) if isinstance(file, bytes) else open(file, "rb") as opened:
        lacking = _lacking(opened)
        if lacking:
            raise InputError(f"{name} lacks its end: {lacking}; copy it again")
        opened.seek(0)
        with soundfile.SoundFile(opened) as sound:
            wave, rate, frames = sound.read(dtype="float32", always_2d=True), sound.samplerate, sound.frames
    if not len(wave):
        raise InputError(f"{name} holds no sample; record it again or leave its cell empty")
    if len(wave) < frames:
        raise InputError(f"{name} lacks its end: it declares {frames:,} samples and holds {len(wave):,}; copy it again")
    if not np.isfinite(wave).all():
        raise InputError(f"{name} holds samples that are not finite; save it again")
    return wave.mean(axis=1), int(rate)


def _lacking(file: BinaryIO) -> str:
    """What a file of sound says of its length and does not hold; "" if all is there. Decoders stop without a word."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(12)
    if start[:4] == b"RIFF" and start[8:] == b"WAVE":
        while len(heading := file.read(8)) == 8:
            name, declared = struct.unpack("<4sI", heading)
            if name == b"data":
                held = size - file.tell()
                cut = held < declared < UNKNOWN_SIZE
                return f"its heading declares {declared:,} bytes of sound, and it holds {held:,}" if cut else ""
            file.seek(declared + declared % 2, io.SEEK_CUR)
    if start[:4] == b"OggS":
        file.seek(max(0, size - PAGE))
        page = file.read().rpartition(b"OggS")[2]
        return "" if len(page) > 1 and page[1] & LAST_PAGE else "its stream has no last page"
    return ""
