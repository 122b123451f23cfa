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
FEWEST_SAMPLES = 16  # of most sounds; with fewer nothing is heard
OPPOSED = 1e-3  # of the loudest channel, which the mean of channels that are not in opposite phase exceeds
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
    opposed = sum(sound[2] for sound in sounds if sound is not None)
    if opposed:
        told.append(
            f"{opposed:,} of {len(sounds):,} sounds have channels in opposite phase, whose mean is silence; save one "
            "channel of them"
        )
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


def oddities(values: np.ndarray, present: np.ndarray, lengths: np.ndarray | None) -> list[str]:
    """Sentences about sound, [n, samples] with lengths [n], in which there is nothing to be heard."""
    lengths = np.full(len(values), values.shape[1]) if lengths is None else lengths
    rows = np.flatnonzero(present & (lengths > 0))
    told, median = [], int(np.median(lengths[rows])) if len(rows) else FEWEST_SAMPLES
    if median < FEWEST_SAMPLES:
        told.append(f"half of the sounds have {median} samples or fewer; give a higher `rate`, or longer sounds")
    elif len(rows) and all(np.ptp(values[row, : lengths[row]]) == 0 for row in rows):
        told.append("every sound is silent or constant from its beginning to its end; look at how they were recorded")
    return told


def _sound(name: str, file: Path | bytes) -> tuple[np.ndarray, int, bool]:
    """The mean of its channels, its rate, and whether these are in opposite phase."""
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
    mean = wave.mean(axis=1)
    return mean, int(rate), wave.shape[1] > 1 and bool(np.abs(mean).max() < OPPOSED * np.abs(wave).max())


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
