"""The raw files of `maec`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import by_split, check_codes, read_archive, strings_of, unpack_strings
from mmjax.data.dataset import Columns
from mmjax.data.sources import Source
from mmjax.errors import InputError

REPOSITORY = (
    "https://github.com/Earnings-Call-Dataset/"
    "MAEC-A-Multimodal-Aligned-Earnings-Conference-Call-Dataset-for-Financial-Risk-Prediction"
)
FILE, TEXT_FILE = "maec.npz", "maec_text.npz"
SOURCES = tuple(Source("maec", file, "", f"{REPOSITORY} (see maec/README.md)") for file in (FILE, TEXT_FILE))
PARTS, ACOUSTIC = 16, 29  # even parts of a call, and features of each
DIRECTIONS, DAYS, PRICES = 128, 30, 2
HORIZONS = (3, 7, 15, 30)  # trading days before the call and after it
FIELDS = {
    "audio_seq16": ("numbers", "n", PARTS, ACOUSTIC),
    "text_lsa128": ("numbers", "n", DIRECTIONS),
    "price30": ("numbers", "n", DAYS, PRICES),
    "log_vol_past": ("numbers", "n", len(HORIZONS)),
    "log_vol": ("numbers", "n", len(HORIZONS)),
    "label_high": ("whole numbers", "n", len(HORIZONS)),
    "horizons": ("whole numbers", len(HORIZONS)),
    "ticker": ("strings", "n"),
    "date": ("strings", "n"),
    "split": ("whole numbers", "n"),
}
TEXT_FIELDS = {"text_utf8": ("whole numbers", None), "text_offset": ("whole numbers", None)}


def read(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...]; a target for each horizon.

    Raises:
      InputError: if a file is broken, lacks an array, or the two do not hold the same calls.
    """
    path = paths[FILE]
    raw = read_archive(path, FIELDS)
    if tuple(raw["horizons"]) != HORIZONS:
        raise InputError(f"{path}: horizons is {raw['horizons'].tolist()}, and must be {list(HORIZONS)}; get it again")
    packed = read_archive(paths[TEXT_FILE], TEXT_FIELDS)
    texts = unpack_strings(paths[TEXT_FILE], "text", packed["text_utf8"], packed["text_offset"])
    if len(texts) != len(raw["split"]):
        raise InputError(f"{paths[TEXT_FILE]} holds {len(texts)} calls and {path} {len(raw['split'])}; get both again")
    high = [check_codes(path, f"label_high[:, {place}]", codes, 2) for place, codes in enumerate(raw["label_high"].T)]
    columns = {
        "audio": raw["audio_seq16"].astype(np.float32),
        "text_vector": raw["text_lsa128"].astype(np.float32),
        "text": strings_of(texts),
        "price": raw["price30"].astype(np.float32),
        "past_volatility": raw["log_vol_past"].astype(np.float32),
        "ticker": strings_of(raw["ticker"]),
        "date": strings_of(raw["date"]),
    } | volatility_columns(raw["log_vol"], np.stack(high, axis=1))
    return by_split(columns, check_codes(path, "split", raw["split"], 3))


def volatility_columns(values: np.ndarray, high: np.ndarray) -> Columns:
    """Both targets of each horizon, of [n, HORIZONS] log volatilities and whether they are high."""
    return {f"volatility_{days}": values[:, place].astype(np.float32) for place, days in enumerate(HORIZONS)} | {
        f"high_{days}": high[:, place] for place, days in enumerate(HORIZONS)
    }
