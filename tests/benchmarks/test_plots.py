"""Figures are PNG files of the size that is promised, and draw what they were given."""

import matplotlib.image
import pytest

from benchmarks import plots


def seed(evaluations, phase="joint", score="accuracy", before=0):
    return [
        {
            "epoch": before + epoch, "phase": phase, "train_loss": 1 / epoch, "validation_loss": 2 / epoch,
            f"train_{score}": 1 - 1 / epoch, f"validation_{score}": 1 - 1 / epoch,
        }
        for epoch in range(1, evaluations + 1)
    ]  # fmt: skip


HISTORIES = {
    "unequal lengths": [seed(3), seed(5), seed(5)],
    "one seed": [seed(4)],
    "one evaluation": [seed(1), seed(1)],
    "phases": [seed(3, "encoders") + seed(2, "decoder", before=3)] * 2,
    "diverged": [seed(2) + [{**seed(1, before=2)[0], "train_loss": float("inf")}], seed(1)],
    "never finite": [[{"epoch": 1, "train_loss": float("nan"), "validation_loss": float("nan")}]],
    "regression": [seed(3, score="error")],
    "no phase, no training score": [[{"epoch": 1, "train_loss": 1.0, "validation_accuracy": 0.5}]],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_learning_curves(name, tmp_path):
    paths = [tmp_path / "once.png", tmp_path / "again.png"]
    for path in paths:
        plots.learning_curves(HISTORIES[name], name, path)
    assert matplotlib.image.imread(paths[0]).shape == (400, 1000, 4)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_phase_draws_a_line_of_its_own(tmp_path):
    panel = plots.Figure().subplots()
    points = plots.pd.DataFrame(HISTORIES["phases"][0])[["phase", "epoch", "train_loss"]]
    plots._bands(panel, points, "black", "train")
    assert [list(line.get_xdata()) for line in panel.lines] == [[1, 2, 3], [4, 5]]


@pytest.mark.parametrize("name", ["$\\frac{x$", "$", "cost in $ and $", "[/INST]", "a\nb", "\\alpha"])
def test_names_are_no_formulas(name, tmp_path):
    plots.learning_curves(HISTORIES["one seed"], name, tmp_path / "curves.png")
    cell = {"level": "feature", "fusion": name, "metrics": {"accuracy": [0.8]}, "train_samples_per_second": 1.0}
    plots.accuracy_against_throughput([cell], name, tmp_path / "throughput.png")
    assert len(list(tmp_path.iterdir())) == 2


def test_accuracy_against_throughput(tmp_path):
    cell = {"level": "feature", "fusion": "concat", "metrics": {"nll": [0.1], "accuracy": [0.8, 0.9]}}
    unmeasured = cell | {"level": "baseline", "fusion": "majority", "train_samples_per_second": None}
    failed = cell | {"metrics": {}, "train_samples_per_second": 10.0}
    records = [cell | {"train_samples_per_second": 1e4}, unmeasured, failed]
    for name, of_task in {"some": records, "none": records[1:]}.items():
        plots.accuracy_against_throughput(of_task, "task", tmp_path / f"{name}.png")
        assert matplotlib.image.imread(tmp_path / f"{name}.png").shape == (600, 1000, 4)
    assert (tmp_path / "some.png").read_bytes() != (tmp_path / "none.png").read_bytes()
