"""Names of classes that a person would take for one are told, and others are not."""

import pytest

from mmjax.data.twins import near_twins


@pytest.mark.parametrize(
    "classes, twins",
    [
        (["Sick", "sick"], 1),
        (["T-cell", "T cell", "t_cell"], 2),
        (["ＡＢ", "AB"], 1),
        (["sick", "sick\u200b"], 1),
        (["straße", "STRASSE"], 1),
        (["[/INST]", "[/inst]"], 1),
        (["sick", "healthy"], 0),
        (["1+", "1-"], 0),
        (["+", "-"], 0),
        (["class 1", "class 11"], 0),
    ],
)
def test_near_twins_are_told(classes, twins):
    told = near_twins(classes)
    assert len(told) == twins and all("nearly alike" in each for each in told)
