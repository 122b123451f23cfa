"""`scale` of a target: what a regression of one's own is learned in."""

import numpy as np
import pytest
from make_folders import read_rows, write_rows, yaml

from mmjax.data import load_task
from mmjax.data.folder.task import problems_of
from mmjax.errors import InputError


@pytest.fixture
def scaled(good, tmp_path):
    """Loads the good folder with other targets, one a row, and more keys of the target."""
    text = (good / "task.yaml").read_text()

    def load(values, more):
        write_rows(good, [[*row[:-1], value] for row, value in zip(read_rows(good), values, strict=True)])
        (good / "task.yaml").write_text(text)
        yaml(good, "  scan: {kind: image, file: scans, names: visits.csv, column: scan}\n", "")
        yaml(good, "  voice: {kind: waveform, file: voices, names: visits.csv, column: recording}\n", "")
        yaml(good, "column: diagnosis}", f"column: diagnosis{more}}}")
        return load_task(str(good), cache_dir=str(tmp_path / "cache"))

    return load


PRICES = np.round(np.exp(np.arange(60) % 7), 3)


def test_train_decides_unless_the_folder_does(scaled):
    kinds = {
        more: [scale.kind for scale in scaled(PRICES, more).target.scales]
        for more in ("", ", kind: regression, scale: standard", ", scale: none", ", scale: log")
    }
    assert list(kinds.values()) == [["log"], ["standard"], ["none"], ["log"]]
    assert scaled(PRICES - 1000, "").target.scales[0].kind == "standard"


def test_results_of_another_scale_are_others(scaled):
    """Of the same arrays; a run is known by the fingerprint of its data."""
    tasks = [scaled(PRICES, f", scale: {scale}") for scale in ("log", "standard", "none", "log")]
    assert len({task.fingerprint for task in tasks}) == 3 and tasks[0].fingerprint == tasks[3].fingerprint
    for task in tasks[1:]:
        np.testing.assert_array_equal(task.splits["train"].target, tasks[0].splits["train"].target)


@pytest.mark.parametrize(
    "values, more, told",
    [
        (PRICES, ", scale: square", "line 8: scale is 'square'; accepted: none, standard, log"),
        (PRICES, ", kind: multilabel, scale: log", "line 8: scale stands beside kind 'multilabel'"),
        (np.arange(60) % 2, ", scale: log", "line 8: scale is 'log', and the target's values are classes"),
        (PRICES - 1, ", scale: log", "visits.csv, line 2, column 'diagnosis': the target is 0, and `scale: log` takes"),
        (np.where(PRICES > 100, 1e300, PRICES), "", "column 'diagnosis': '1e+300' is beyond 3.4e+38"),
    ],
)
def test_what_is_refused(scaled, good, values, more, told):
    with pytest.raises(InputError) as raised:
        scaled(values, more)
    line = 1 + (good / "task.yaml").read_text().splitlines().index(
        next(line for line in (good / "task.yaml").read_text().splitlines() if line.startswith("target:"))
    )
    assert told.replace("line 8", f"line {line}") in str(raised.value)
    assert "inf" in told or problems_of(str(good)) == [str(raised.value)]
