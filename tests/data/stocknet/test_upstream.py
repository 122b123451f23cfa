"""StockNet's own folders give the columns that the archive has."""

import json

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.stocknet import upstream
from mmjax.errors import InputError

# AAPL as upstream has it, and what the archive that was cut from upstream has for 2014-01-02.
AAPL = """Date,Open,High,Low,Close,Adj Close,Volume
2013-12-16,79.288574,80.377144,79.287140,79.642860,74.103409,70648200
2013-12-17,79.401428,79.919998,79.054283,79.284286,73.769768,57475600
2013-12-18,78.528572,78.778572,76.971428,78.681427,73.208862,141465800
2013-12-19,78.500000,78.571426,77.675713,77.779999,72.370117,80077200
2013-12-20,77.918571,78.801430,77.831429,78.431427,72.976242,109103400
2013-12-23,81.142860,81.531425,80.394287,81.441429,75.776878,125326600
2013-12-24,81.412857,81.697144,80.861427,81.095711,75.455193,41888700
2013-12-26,81.157143,81.357140,80.482857,80.557144,74.954094,51002000
2013-12-27,80.545715,80.629997,79.928574,80.012856,74.447670,56471100
2013-12-30,79.637146,80.012856,78.902855,79.217140,73.707298,63407400
2013-12-31,79.167145,80.182854,79.142860,80.145714,74.571281,55771100
2014-01-02,79.382858,79.575714,78.860001,79.018570,73.522530,58671200
"""
PRICE = [
    [-0.003031, 0.00348, -0.00739, -0.004502, -0.206352], [-0.009532, -0.006378, -0.029172, -0.007603, 0.900697],
    [-0.002306, -0.001398, -0.012782, -0.011457, -0.569067], [0.001782, 0.013132, 0.000661, 0.008375, 0.309305],
    [0.034571, 0.039525, 0.025026, 0.038377, 0.138627], [-0.000351, 0.00314, -0.007122, -0.004245, -1.095907],
    [0.000758, 0.003224, -0.007557, -0.006641, 0.196849], [-0.000142, 0.000904, -0.007803, -0.006756, 0.101864],
    [-0.004696, 0.0, -0.013873, -0.009945, 0.115852], [-0.000631, 0.012191, -0.000938, 0.011722, -0.128325],
]  # fmt: skip
ROUNDED = 1e-6  # the figures above have six digits after the point


def write(root, prices, tweets):
    """Stock -> CSV; (stock, day) -> words of each tweet."""
    places = {source.file: root / source.file for source in upstream.SOURCES}
    for place in places.values():
        place.mkdir(parents=True)
    for stock, table in prices.items():
        (places[upstream.PRICES] / f"{stock}.csv").write_text(table)
    for (stock, day), texts in tweets.items():
        folder = places[upstream.TWEETS] / stock
        folder.mkdir(exist_ok=True)
        lines = [json.dumps({"text": words, "user_id_str": "1"}) for words in texts]
        (folder / day).write_text("\n".join(lines) + "\n")
    return places


def moving(days, seed):
    """Prices that move by more than the band every day, a day a line from 2013-12-01 on."""
    generator = np.random.default_rng(seed)
    close = 50 * np.cumprod(1 + generator.choice([-0.02, 0.02], days))
    dates = np.datetime64("2013-12-01") + np.arange(days)
    lines = [f"{day},{c:.6f},{c:.6f},{c:.6f},{c:.6f},{c:.6f},1000" for day, c in zip(dates, close, strict=True)]
    return "\n".join(["Date,Open,High,Low,Close,Adj Close,Volume", *lines])


TWEETS = {
    ("AAPL", "2013-12-28"): [["rise", "today"]],
    ("AAPL", "2014-01-01"): [["rise", "today"], ["fall", "again"], ["rise", "today"]],
    ("AAPL", "2014-01-02"): [["of", "the", "day", "itself"]],
}


def test_a_day_has_what_the_archive_has(tmp_path):
    columns = upstream.read_upstream(write(tmp_path, {"AAPL": AAPL, "NONE": AAPL[:41]}, TWEETS))["train"]
    assert columns["date"].tolist() == ["2014-01-02"] and columns["stock"].tolist() == ["AAPL"]
    assert np.abs(columns["price"][0] - PRICE).max() <= ROUNDED
    assert columns["label"].tolist() == [0]  # adjusted close fell by 1.4%
    assert columns["text"].tolist() == ["rise today\nrise today\nfall again"]  # both days before, no tweet twice a day
    assert columns["documents_length"].tolist() == [2]
    assert columns["documents"][0, :2].any() and not columns["documents"][0, 2:].any()


def test_the_band_and_the_days_of_each_split(tmp_path):
    days = (np.datetime64("2016-02-01") - np.datetime64("2013-12-01")).astype(int)
    splits = upstream.read_upstream(write(tmp_path, {"AAPL": moving(days, 0)}, TWEETS))
    assert {split: (min(part["date"]), max(part["date"])) for split, part in splits.items()} == {
        "train": ("2014-01-01", "2015-07-31"),
        "validation": ("2015-08-01", "2015-09-30"),
        "test": ("2015-10-01", "2015-12-31"),
    }
    still = AAPL.replace("79.018570,73.522530", "80.145714,74.700000")  # up by 0.17%
    with pytest.raises(InputError, match="no day of 2014 and 2015 that moved"):
        upstream.read_upstream(write(tmp_path / "still", {"AAPL": still}, TWEETS))


def test_a_task_is_made_of_it(tmp_path):
    days = (np.datetime64("2016-01-01") - np.datetime64("2013-12-01")).astype(int)
    write(tmp_path / "stocknet", {"AAPL": moving(days, 1), "XOM": moving(days, 2)}, TWEETS)
    task = load_task("stocknet", str(tmp_path), str(tmp_path / "cache"))
    assert {split: batch.size for split, batch in task.splits.items()} == {
        "train": 1154,
        "validation": 122,
        "test": 184,
    }


@pytest.mark.parametrize(
    ("prices", "line", "told"),
    [
        ({}, "", "holds no <stock>.csv"),
        ({"AAPL": AAPL.replace("Volume", "Amount")}, "", "AAPL.csv is truncated or not the right file.*Volume"),
        ({"AAPL": AAPL.replace("2013-12-18", "2013-12-16")}, "", "AAPL.csv: 2013-12-16 does not come after"),
        ({"AAPL": AAPL.replace("79.287140", "-1")}, "", "AAPL.csv: 2013-12-16 has a price that is not positive"),
        ({"AAPL": AAPL}, '{"text": "words"}', "2014-01-01: line 4 has no text that is a list of words"),
        ({"AAPL": AAPL}, "{", "2014-01-01 is truncated"),
    ],
)
def test_what_is_refused(tmp_path, prices, line, told):
    paths = write(tmp_path, prices, TWEETS)
    with open(paths[upstream.TWEETS] / "AAPL" / "2014-01-01", "a") as file:
        file.write(line)
    with pytest.raises(InputError, match=told):
        upstream.read_upstream(paths)
