"""New examples of a regression get what the run said of them in test, in the target's own unit."""

import csv

import numpy as np
import pytest

from experiments.new_examples import read_new_examples
from experiments.run_grid import Request, run_grid
from experiments.store import Store
from experiments.trained_run import read_run

TASK = """\
name: prices
modalities:
  house: {kind: vector, file: houses.csv, columns: [size, age]}
  street: {kind: vector, file: houses.csv, columns: [noise, trees]}
target: {file: houses.csv, column: price, scale: SCALE}
splits: {file: houses.csv, column: split}
"""


@pytest.fixture(params=["standard", "log"])
def folder(request, tmp_path):
    """Prices in hundreds of thousands."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 4)).round(3)
    prices = 2e5 * np.exp(rows @ [0.5, -0.2, -0.3, 0.1])
    splits = np.repeat(["train", "validation", "test"], 20)
    with open(tmp_path / "houses.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["size", "age", "noise", "trees", "price", "split"])
        writer.writerows([*row, round(price), split] for row, price, split in zip(rows, prices, splits, strict=True))
    (tmp_path / "task.yaml").write_text(TASK.replace("SCALE", request.param))
    return tmp_path


def test_new_examples_are_valued_as_test_was(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MMJAX_CACHE_DIR", str(tmp_path / "cache"))
    overrides = {"epochs": 3, "batch_size": 10, "width": 8, "learning_rate": 1e-2}
    request = Request([str(folder)], ["concat"], seeds=1, overrides=overrides, workdir=str(tmp_path / "work"),
                      keep_parameters=True)  # fmt: skip
    run_grid(request)
    (place,) = Store(tmp_path / "work").root.glob("*concat*")
    run = read_run(place)
    said = run.predict(read_new_examples(folder, run.kept.preprocessing))
    with np.load(place / "test_predictions.npz") as kept:
        expected, truth = kept["test_logits"], kept["test_target"]
    # Programs for other numbers of rows: sums in float32 in another order.
    np.testing.assert_allclose(said.to_numpy()[40:], expected, rtol=1e-4)
    assert truth.min() > 1e4 and 0.2 < np.median(expected) / np.median(truth) < 5
