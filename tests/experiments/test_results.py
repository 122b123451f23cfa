"""What is written below tables claims no more than was done."""

import pytest

from experiments.grid import UNTRAINED, Cell
from experiments.results import Row, protocol_of
from experiments.search import Tuned, Tuning
from mmjax.config import DEFAULTS

BUDGET, TUNED = ("parameters", 1.0), Tuned(Tuning(4), 4, {})
SAME = "Every cell of a task has the same splits, batches and seeds, and the same "


def protocol(task, **changes):
    return protocol_of([Row(task, Cell("tiny", "majority", UNTRAINED, DEFAULTS), (None,), **changes)])


@pytest.mark.parametrize(
    "changes, said",
    [
        ({}, "hyper-parameters."),
        ({"budget": BUDGET}, "hyper-parameters but the width, by which budgets are matched."),
        ({"tuned": TUNED}, "number of trials to choose hyper-parameters by."),
        (
            {"budget": BUDGET, "tuned": TUNED},
            "number of trials to choose hyper-parameters by, but the width, by which budgets are matched.",
        ),
    ],
)
def test_what_cells_have_in_common(task, changes, said):
    assert protocol(task, **changes)[0] == SAME + said


@pytest.mark.parametrize("split, other", [("test", "validation"), ("validation", "test")])
def test_figures_are_said_to_be_of_their_split_alone(task, split, other):
    sentences = protocol(task, split=split)
    assert f"Figures are of the {split} split: the mean over seeds" in " ".join(sentences)
    assert f"Figures are of the {other} split" not in " ".join(sentences)
    assert any("test split is read once" in each for each in sentences) == (split == "test")
    assert any("test split was not predicted" in each for each in sentences) == (split == "validation")
