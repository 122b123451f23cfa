"""MAEC as its authors publish it, a folder a call, with the daily prices of `individual_stocks_5yr`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmjax.data.arrays import by_split, strings_of
from mmjax.data.dataset import Columns
from mmjax.data.documents import project
from mmjax.data.maec.raw import ACOUSTIC, DAYS, DIRECTIONS, HORIZONS, PARTS, REPOSITORY, volatility_columns
from mmjax.data.prices import log_changes, read_prices
from mmjax.data.sources import Source, reading
from mmjax.errors import InputError

CALLS, PRICES = "MAEC_Dataset", "individual_stocks_5yr"
PRICES_ORIGIN = "https://github.com/CNuge/kaggle-code (stock_data)"
SOURCES = (Source("maec", CALLS, "", REPOSITORY), Source("maec", PRICES, "", PRICES_ORIGIN))
SENTENCES = 5  # a call has at least
JUMP = 0.4  # a stock whose log price jumps by more, in the days around, was split or has a wrong price
STILL = 1e-6  # is added to a deviation before its logarithm is taken: a price may not move at all
UNDEFINED = "--undefined--"
CLIP = 20.0  # standard deviations
# Days before the first are train, before the second validation, and test from then on; ours, as the card has it.
BOUNDS = np.array(["2017-02-09", "2017-04-27"], "datetime64[D]")


class Call(NamedTuple):
    """A call and the days around it; `audio` is float64 [PARTS, ACOUSTIC], NaN where nothing is defined."""

    ticker: str
    date: np.datetime64
    audio: np.ndarray
    text: str
    price: np.ndarray
    past: np.ndarray
    after: np.ndarray


def read_upstream(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...], of the calls that prices are there for; what is fitted sees train.

    Raises:
      InputError: if no call of train is there, or a file is broken.
    """
    quotes = functools.cache(functools.partial(_read_quotes, paths[PRICES]))
    found = (_read_call(folder, quotes) for folder in sorted(paths[CALLS].glob("????????_*")))
    calls = [call for call in found if call is not None]
    codes = np.searchsorted(BOUNDS, np.array([call.date for call in calls], "datetime64[D]"), side="right")
    if not (codes == 0).any():
        raise InputError(
            f"{paths[CALLS]} holds no call before {BOUNDS[0]} with {DAYS} days of prices around it in {paths[PRICES]}; "
            f"get them again from {REPOSITORY} and {PRICES_ORIGIN}"
        )
    train = codes == 0
    audio = np.stack([call.audio for call in calls])
    mean, deviation = np.nanmean(audio[train], axis=(0, 1)), np.nanstd(audio[train], axis=(0, 1))
    scaled = (audio - mean) / np.where(deviation > 0, deviation, 1)
    texts = [call.text for call in calls]
    after = np.stack([call.after for call in calls])
    columns = {
        "audio": np.nan_to_num(scaled).clip(-CLIP, CLIP).astype(np.float32),
        "text_vector": project(texts, train, DIRECTIONS),
        "text": strings_of(texts),
        "price": np.stack([call.price for call in calls]).astype(np.float32),
        "past_volatility": np.stack([call.past for call in calls]).astype(np.float32),
        "ticker": strings_of([call.ticker for call in calls]),
        "date": strings_of([call.date for call in calls]),
    } | volatility_columns(after, (after > np.median(after[train], axis=0)).astype(np.int64))
    return by_split(columns, codes)


def _read_quotes(folder: Path, ticker: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Days, and changes of log price and log volume on them; None where the stock has no file."""
    path = folder / f"{ticker}_data.csv"
    if not path.exists():
        return None
    days, values = read_prices(path, "date", ("close",), "volume")
    return days[1:], np.stack([log_changes(column) for column in values.T], axis=1)


def _read_call(folder: Path, quotes: Callable[[str], tuple[np.ndarray, np.ndarray] | None]) -> Call | None:
    """None for one that is too short, or without prices around it."""
    date, _, ticker = folder.name.partition("_")
    found = quotes(ticker)
    if found is None:
        return None
    with reading(folder):
        date = np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}", "D")
    days, changes = found
    before, after = changes[days < date][-DAYS:], changes[days > date][:DAYS]
    if len(before) < DAYS or len(after) < DAYS or np.abs([before[:, 0], after[:, 0]]).max() > JUMP:
        return None
    with reading(folder / "text.txt"):
        sentences = (folder / "text.txt").read_text(encoding="utf-8").splitlines()
    sentences = [sentence.strip() for sentence in sentences if sentence.strip()]
    if len(sentences) < SENTENCES:
        return None
    return Call(
        ticker, date, _read_audio(folder / "features.csv"), "\n".join(sentences), before,
        np.log([before[-horizon:, 0].std() + STILL for horizon in HORIZONS]),
        np.log([after[:horizon, 0].std() + STILL for horizon in HORIZONS]),
    )  # fmt: skip


def _read_audio(path: Path) -> np.ndarray:
    """Means of PARTS even parts of a call's sentences; NaN where a part has none, or the feature is undefined."""
    import pandas

    with reading(path):
        table = pandas.read_csv(path, dtype=str, keep_default_na=False)
        values = table.apply(lambda column: column.str.strip().replace(UNDEFINED, "nan")).to_numpy(float)
    if values.shape[1] != ACOUSTIC or not len(values):
        raise InputError(f"{path} holds {values.shape} numbers, and must hold (n, {ACOUSTIC}); get it again")
    parts = np.array_split(values, PARTS)
    count = np.stack([np.isfinite(part).sum(axis=0) for part in parts])
    return np.stack([np.nansum(part, axis=0) for part in parts]) / np.where(count, count, np.nan)
