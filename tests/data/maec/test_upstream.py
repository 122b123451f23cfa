"""MAEC's own folders, with daily prices, give the columns that the archive has."""

import warnings

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.maec import upstream
from mmjax.data.maec.raw import ACOUSTIC, DAYS, PARTS
from mmjax.errors import InputError

# ADSK around the call of 2015-02-26 as upstream has it, and what the archive that was cut from upstream has of it.
DAYS_AROUND = {
    "2015-02-20": 62.37, "2015-02-23": 61.95, "2015-02-24": 62.07, "2015-02-25": 62.01,
    "2015-02-26": 61.01,
    "2015-02-27": 64.24, "2015-03-02": 64.0, "2015-03-03": 62.7,
}  # fmt: skip
VOLUMES = {"2015-02-24": 1479590, "2015-02-25": 1788106}
LAST_CHANGES, AFTER, PAST = [-0.000967, 0.189392], -3.479906, -5.622899
ROUNDED = 2e-6  # the figures above have six digits after the point, and the archive holds float32


def prices(start, days, seed=0, known=None):
    """A day a line of a stock that moves, with the known closing prices in their place."""
    generator = np.random.default_rng(seed)
    close = 60 * np.exp(np.cumsum(generator.normal(0, 0.01, days)))
    lines = ["date,open,high,low,close,volume,Name"]
    for day, value in zip(np.datetime64(start) + np.arange(days), close, strict=True):
        price = (known or {}).get(str(day), round(float(value), 2))
        lines.append(f"{day},1.0,1.0,1.0,{price},{VOLUMES.get(str(day), 1000)},S")
    return lines


def around():
    """ADSK with the seven known trading days side by side, as a market without weekends would not have them."""
    known = list(DAYS_AROUND)
    before = [line for line in prices("2015-01-01", 50) if line.split(",")[0] < known[0]][1:]
    after = prices("2015-03-04", 40, seed=1)[1:]
    lines = [f"{day},1.0,1.0,1.0,{price},{VOLUMES.get(day, 1000)},ADSK" for day, price in DAYS_AROUND.items()]
    return "\n".join(["date,open,high,low,close,volume,Name", *before, *lines, *after])


def features(rows):
    """[n, ACOUSTIC] as upstream writes them: blanks behind numbers, and a word for what is undefined."""
    lines = [",".join(f"feature {place}" for place in range(ACOUSTIC))]
    for row in rows:
        lines.append(",".join("--undefined-- " if np.isnan(value) else f"{value!r} " for value in row.tolist()))
    return "\n".join(lines)


def write(root, calls, stocks):
    """(day, ticker) -> rows of features; ticker -> prices."""
    for place in (root / upstream.CALLS, root / upstream.PRICES):
        place.mkdir(parents=True)
    for (day, ticker), rows in calls.items():
        folder = root / upstream.CALLS / f"{day}_{ticker}"
        folder.mkdir()
        (folder / "features.csv").write_text(features(rows))
        (folder / "text.txt").write_text("".join(f"we rise {place % 3}\n" for place in range(len(rows))))
    for ticker, table in stocks.items():
        (root / upstream.PRICES / f"{ticker}_data.csv").write_text(table)
    return {source.file: root / source.file for source in upstream.SOURCES}


def speech(sentences, seed=0):
    return np.random.default_rng(seed).normal(size=(sentences, ACOUSTIC)).round(3)


def test_a_call_has_the_prices_of_the_archive(tmp_path):
    columns = upstream.read_upstream(write(tmp_path, {("20150226", "ADSK"): speech(40)}, {"ADSK": around()}))["train"]
    assert columns["date"].tolist() == ["2015-02-26"] and columns["price"].shape == (1, DAYS, 2)
    assert np.abs(columns["price"][0, -1] - LAST_CHANGES).max() <= ROUNDED
    assert (
        abs(columns["volatility_3"][0] - AFTER) <= ROUNDED and abs(columns["past_volatility"][0, 0] - PAST) <= ROUNDED
    )
    assert columns["text"][0].split("\n")[:4] == ["we rise 0", "we rise 1", "we rise 2", "we rise 0"]


def test_audio_is_the_means_of_even_parts_scaled_by_train(tmp_path):
    first, second = speech(40, 1), speech(5, 2)
    first[7, 3] = second[1, 4] = np.nan
    table = "\n".join(prices("2015-01-01", 300))
    calls = {("20150301", "A"): first, ("20150501", "A"): second}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        columns = upstream.read_upstream(write(tmp_path, calls, {"A": table}))["train"]
    parts = np.full((2, PARTS, ACOUSTIC), np.nan)
    for row, values in enumerate((first, second)):
        for place, part in enumerate(np.array_split(values, PARTS)):
            for feature in range(ACOUSTIC):
                known = part[~np.isnan(part[:, feature]), feature]
                parts[row, place, feature] = known.mean() if len(known) else np.nan
    expected = (parts - np.nanmean(parts, axis=(0, 1))) / np.nanstd(parts, axis=(0, 1))
    assert np.isnan(expected[1, 5:]).all() and np.isnan(expected[1, 1, 4])
    np.testing.assert_allclose(columns["audio"], np.nan_to_num(expected), rtol=0, atol=1e-6)  # float32 of a few units


def test_what_counts_as_a_call(tmp_path):
    """Without prices, without thirty days of them on both sides, with a split stock or a few words: left out."""
    lines = prices("2015-01-01", 300)
    split = "\n".join([*lines[:60], *(line.replace(",1.0,1.0,1.0,", ",1.0,1.0,1.0,9") for line in lines[60:])])
    calls = {
        ("20150401", "A"): speech(6), ("20150402", "A"): speech(4), ("20150110", "A"): speech(6),
        ("20151020", "A"): speech(6), ("20150315", "B"): speech(6), ("20150401", "NONE"): speech(6),
    }  # fmt: skip
    columns = upstream.read_upstream(write(tmp_path, calls, {"A": "\n".join(lines), "B": split}))
    assert {name: part["date"].tolist() for name, part in columns.items()} == {"train": ["2015-04-01"]}


def test_a_task_is_made_of_it(tmp_path):
    days = ["20160110", "20160220", "20160330", "20160501", "20160601", "20160701", "20160801", "20160901",
            "20170301", "20170315", "20170401", "20170415", "20170601", "20170701", "20170801", "20170901"]  # fmt: skip
    calls = {(day, ticker): speech(20, place) for place, day in enumerate(days) for ticker in "AB"}
    stocks = {ticker: "\n".join(prices("2015-10-01", 900, seed)) for seed, ticker in enumerate("AB")}
    write(tmp_path / "maec", calls, stocks)
    task = load_task("maec", str(tmp_path), str(tmp_path / "cache"))
    assert {split: batch.size for split, batch in task.splits.items()} == {"train": 16, "validation": 8, "test": 8}
    high = task.splits["train"].target
    assert high.sum() == len(high) / 2  # above train's median


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("MAEC_Dataset/20150401_A/features.csv", "a,b\n1,2", r"features.csv holds \(1, 2\) numbers"),
        ("MAEC_Dataset/20150401_A/features.csv", features(speech(6)) + "x", "features.csv is truncated"),
        ("individual_stocks_5yr/A_data.csv", "date,close\n2015-01-01,1", "A_data.csv is truncated.*volume"),
        ("individual_stocks_5yr/A_data.csv", "date,close,volume\n", "holds no call before 2017-02-09 with 30 days"),
    ],
)
def test_what_is_refused(tmp_path, file, content, told):
    paths = write(tmp_path, {("20150401", "A"): speech(6)}, {"A": "\n".join(prices("2015-01-01", 300))})
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=told):
        upstream.read_upstream(paths)
