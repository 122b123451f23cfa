"""Writes the dummy archives of the data sets that are read from npz files: shapes of upstream, nothing of its content.

python tests/data/write_archives.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmjax.data.covid_cxr import task as covid_cxr
from mmjax.data.jaad_crossing import task as jaad_crossing
from mmjax.data.maec import raw as maec
from mmjax.data.mosi import raw as mosi
from mmjax.data.mustard_text import task as mustard_text
from mmjax.data.mvsa_single import task as mvsa_single
from mmjax.data.stocknet import raw as stocknet
from mmjax.data.utd_mhad import raw as utd_mhad

ROOT = Path(__file__).parents[2] / "mmjax" / "data"
WORDS = ("rise", "fall", "fine", "poor", "quarter", "market", "today", "again")


def numbers(label: np.ndarray, *shape: int, dtype=np.float32) -> np.ndarray:
    """The class plus a small whole number, in every place: compresses, and tells the class."""
    generator = np.random.default_rng(0)
    n = len(label)
    small = generator.integers(0, 3, (n, min(int(np.prod(shape)), 8)))
    values = np.zeros((n, int(np.prod(shape))))
    values[:, : small.shape[1]] = small
    return (values + label[:, None]).reshape(n, *shape).astype(dtype)


def sentences(label: np.ndarray) -> np.ndarray:
    """A few words that tell the class, and others; one sentence in nine is empty."""
    generator = np.random.default_rng(1)
    texts = [" ".join([WORDS[int(y) % 4], *generator.choice(WORDS[4:], 4)]) for y in label]
    return np.array(["" if place % 9 == 8 else text for place, text in enumerate(texts)])


def packed(texts) -> tuple[np.ndarray, np.ndarray]:
    """UTF-8 bytes of texts one after the other, and where each begins."""
    parts = [text.encode() for text in texts]
    return np.frombuffer(b"".join(parts), np.uint8), np.cumsum([0, *map(len, parts)])


def labels(n: int, classes: int) -> np.ndarray:
    """Classes in turn."""
    return np.arange(n) % classes


def splits(n: int) -> np.ndarray:
    """0, 0, 0, 1, 2 by blocks of examples: train, validation, test."""
    return np.array([0, 0, 0, 1, 2], np.uint8)[np.arange(n) // 6 % 5]


def write_stocknet(folder: Path) -> None:
    y = labels(60, 2)
    documents = sentences(np.arange(20))[:8]
    index = np.full((60, stocknet.DOCUMENT_DAYS), -1, np.int32)
    index[::3, 1], index[::3, 4], index[1::3, 2] = np.arange(20) % 8, (np.arange(20) + 1) % 8, np.arange(20) % 8
    content, offset = packed(documents)
    np.savez_compressed(folder / stocknet.TEXT_FILE, doc_utf8=content, doc_offset=offset)
    np.savez_compressed(
        folder / stocknet.FILE, price=numbers(y, stocknet.DAYS, stocknet.PRICES), doc_index=index,
        label=y.astype(np.uint8), stock=(y % 2).astype(np.uint8), date=np.full(60, "2014-01-02"), split=splits(60),
        stock_names=np.array(["A", "B"]), doc_lsa64=numbers(np.arange(8), stocknet.DIRECTIONS, dtype=np.float16),
    )  # fmt: skip


def write_maec(folder: Path) -> None:
    y = labels(60, 2)
    content, offset = packed(sentences(y))
    np.savez_compressed(folder / maec.TEXT_FILE, text_utf8=content, text_offset=offset)
    np.savez_compressed(
        folder / maec.FILE, audio_seq16=numbers(y, maec.PARTS, maec.ACOUSTIC, dtype=np.float16),
        text_lsa128=numbers(y, maec.DIRECTIONS), price30=numbers(y, maec.DAYS, maec.PRICES),
        log_vol_past=numbers(y, 4), log_vol=numbers(y, 4),
        label_high=np.stack([np.arange(60) // (k + 1) % 2 for k in range(4)], axis=1).astype(np.uint8),
        horizons=np.array(maec.HORIZONS),
        ticker=np.full(60, "A"), date=np.full(60, "2015-02-26"), split=splits(60),
    )  # fmt: skip


def write_mosi(folder: Path) -> None:
    y = labels(60, 2)
    np.savez_compressed(
        folder / mosi.FILE, **{name: numbers(y, width) for name, width in mosi.FEATURES.items()},
        label=y.astype(np.uint8), video_id=np.array([f"video{place // 6}" for place in range(60)]),
        segment=(np.arange(60) % 6).astype(np.int16), transcript=sentences(y), split=splits(60),
    )  # fmt: skip


def write_mustard_text(folder: Path) -> None:
    y = labels(60, 2)
    np.savez_compressed(
        folder / mustard_text.FILE, utterance=sentences(y), context=sentences(y)[::-1], label=y.astype(np.uint8),
        speaker=np.array(["Ann", "Ben", "Cid"])[labels(60, 3)], show=np.full(60, "show"),
        fold=(np.arange(60) // 2 % mustard_text.FOLDS).astype(np.uint8),
    )  # fmt: skip


def write_mvsa_single(folder: Path) -> None:
    y = labels(60, 3)
    shape = (mvsa_single.SIDE, mvsa_single.SIDE, mvsa_single.CHANNELS)
    texts = np.array([f"{text} {place}" for place, text in enumerate(sentences(y))])  # each a group of its own
    np.savez_compressed(
        folder / mvsa_single.FILE, image=numbers(60 * y, *shape, dtype=np.uint8), text=texts, label=y.astype(np.uint8),
        split=splits(60),
    )  # fmt: skip


def write_utd_mhad(folder: Path) -> None:
    """Of 8 people every action once."""
    y = np.repeat(np.arange(len(utd_mhad.ACTIONS)), utd_mhad.PEOPLE)
    lengths = {"inertial": 3 + y % 4, "skeleton_mm": 2 + y % 3}
    ragged = {"inertial": (utd_mhad.SENSORS, np.float32), "skeleton_mm": (3 * utd_mhad.JOINTS, np.int16)}
    arrays = {}
    for name, (width, dtype) in ragged.items():
        arrays[name] = np.concatenate(
            [numbers(np.full(n, label), width, dtype=dtype) for label, n in zip(y, lengths[name], strict=True)]
        )
    np.savez_compressed(
        folder / utd_mhad.FILE, inertial=arrays["inertial"], inertial_offset=np.cumsum([0, *lengths["inertial"]]),
        skeleton_mm=arrays["skeleton_mm"].reshape(-1, utd_mhad.JOINTS, 3),
        skeleton_offset=np.cumsum([0, *lengths["skeleton_mm"]]), label=y.astype(np.uint8),
        depth=numbers(y, utd_mhad.FRAMES, utd_mhad.HEIGHT, utd_mhad.WIDTH, dtype=np.uint8),
        subject=np.tile(np.arange(utd_mhad.PEOPLE) + 1, len(utd_mhad.ACTIONS)).astype(np.uint8),
    )  # fmt: skip


def write_jaad_crossing(folder: Path) -> None:
    y = labels(60, 2)
    np.savez_compressed(
        folder / jaad_crossing.FILE,
        **{name: numbers(y, jaad_crossing.FRAMES, width) for name, width in jaad_crossing.SEQUENCES.items()},
        scene=numbers(y, jaad_crossing.SCENE), label=y.astype(np.uint8), split=splits(60),
        video=np.array([f"video{place // 6}" for place in range(60)]),
        pedestrian=np.array([f"p{place // 3}" for place in range(60)]),
    )  # fmt: skip


def write_covid_cxr(folder: Path) -> None:
    y = labels(60, 2)
    table = numbers(y, covid_cxr.FIGURES)
    table[::4, 2] = np.nan
    np.savez_compressed(
        folder / covid_cxr.FILE, image=numbers(90 * y, covid_cxr.SIDE, covid_cxr.SIDE, dtype=np.uint8), tabular=table,
        notes_masked=sentences(y), label=y.astype(np.uint8), patient=np.array([str(place // 2) for place in range(60)]),
        fold=(np.arange(60) // 2 % covid_cxr.FOLDS).astype(np.uint8),
    )  # fmt: skip


WRITERS = {
    "stocknet": write_stocknet,
    "maec": write_maec,
    "mosi": write_mosi,
    "mustard_text": write_mustard_text,
    "mvsa_single": write_mvsa_single,
    "utd_mhad": write_utd_mhad,
    "jaad_crossing": write_jaad_crossing,
    "covid_cxr": write_covid_cxr,
}

if __name__ == "__main__":
    for name, write in WRITERS.items():
        folder = ROOT / name / "dummy_data"
        folder.mkdir(exist_ok=True)
        write(folder)
