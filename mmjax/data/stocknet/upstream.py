"""StockNet as its authors publish it: `price/raw/<stock>.csv`, and `tweet/preprocessed/<stock>/<day>` of JSON lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmjax.data.arrays import by_split, strings_of
from mmjax.data.dataset import Columns
from mmjax.data.documents import project
from mmjax.data.prices import log_changes, read_prices
from mmjax.data.sources import Source, reading
from mmjax.data.stocknet.raw import DAYS, DIRECTIONS, DOCUMENT_DAYS, REPOSITORY, document_columns
from mmjax.errors import InputError

PRICES, TWEETS = "price/raw", "tweet/preprocessed"
SOURCES = tuple(Source("stocknet", folder, "", REPOSITORY) for folder in (PRICES, TWEETS))
FALL, RISE = -0.005, 0.0055  # a day that moves by what lies between is left out, as in the paper
# Days from the first on are train, validation (from the second), test, and nothing from the last on.
BOUNDS = np.array(["2014-01-01", "2015-08-01", "2015-10-01", "2016-01-01"], "datetime64[D]")


def read_upstream(paths: Mapping[str, Path]) -> dict[str, Columns]:
    """split -> column -> [n, ...]; vectors of tweets are fitted on those before the end of train.

    Raises:
      InputError: if there are no prices, or a file is broken.
    """
    files = sorted(paths[PRICES].glob("*.csv"))
    if not files:
        raise InputError(f"{paths[PRICES]} holds no <stock>.csv; get it again from {REPOSITORY}")
    texts, dates, place_of = _read_tweets(paths[TWEETS], [file.stem for file in files])
    rows = [row for file in files for row in _rows(file, place_of)]
    if not rows or not texts:
        what = "no day of 2014 and 2015 that moved" if texts else "no tweets"
        raise InputError(f"{paths[PRICES].parent.parent} holds {what}; get it again from {REPOSITORY}")
    stocks, days, prices, moves, index = (list(part) for part in zip(*rows, strict=True))
    columns = {
        "price": np.stack(prices).astype(np.float32),
        "stock": strings_of(stocks),
        "date": strings_of(days),
        "label": (np.array(moves) > 0).astype(np.int64),
    } | document_columns(np.array(index), project(texts, dates < BOUNDS[1], DIRECTIONS), texts)
    return by_split(columns, np.searchsorted(BOUNDS, np.array(days), side="right") - 1)


def _rows(path: Path, place_of: Mapping[tuple, int]) -> list[tuple]:
    """Stock, day, the days' prices before it, its move, and the places of the documents before it; -1 without."""
    days, values = read_prices(path, "Date", ("Open", "High", "Low", "Close", "Adj Close"), "Volume")
    opened, high, low, close, adjusted, volume = values.T
    features = np.stack([
        *(prices[1:] / close[:-1] - 1 for prices in (opened, high, low)),
        adjusted[1:] / adjusted[:-1] - 1,
        log_changes(volume),
    ], axis=1)  # fmt: skip
    days, moves = days[1:], features[:, 3]
    chosen = (days >= BOUNDS[0]) & (days < BOUNDS[-1]) & ((moves <= FALL) | (moves > RISE))
    chosen[:DAYS] = False
    before = np.arange(-DOCUMENT_DAYS, 0).astype("timedelta64[D]")
    return [
        (
            path.stem,
            days[at],
            features[at - DAYS : at],
            moves[at],
            [place_of.get((path.stem, day), -1) for day in days[at] + before],
        )
        for at in np.flatnonzero(chosen)
    ]


def _read_tweets(folder: Path, stocks: list[str]) -> tuple[list[str], np.ndarray, dict]:
    """A text a stock and day, its day, and (stock, day) -> its place."""
    texts, dates, place_of = [], [], {}
    for stock in stocks:
        for path in sorted((folder / stock).glob("????-??-??")):
            with reading(path):
                date = np.datetime64(path.name, "D")
            place_of[stock, date] = len(texts)
            texts.append(_read_day(path))
            dates.append(date)
    return texts, np.array(dates, "datetime64[D]"), place_of


def _read_day(path: Path) -> str:
    """The day's tweets, a line each; the same words twice count once."""
    tweets = {}
    with reading(path):
        lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            with reading(path):
                tweet = json.loads(line)
            words = tweet.get("text") if isinstance(tweet, dict) else None
            if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
                raise InputError(f"{path}: line {number} has no text that is a list of words; get it again")
            tweets[" ".join(words)] = None
    return "\n".join(tweets)
