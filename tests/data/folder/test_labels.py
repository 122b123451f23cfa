"""Labels that mean the same are one class, in one order."""

import os
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmjax.data.folder.labels import merged, ordered


@pytest.mark.parametrize(
    "written, classes",
    [
        (["0", "0.0", "1", "1.0", "01", "1e0", "+1", "-0"], ["0", "1"]),
        (["10", "9", "2.50", "2.5"], ["2.5", "9", "10"]),
        (["sick", "sick ", "\tsick", "sick\u00a0"], ["sick"]),
        (["caf\u00e9", "cafe\u0301"], ["caf\u00e9"]),
        (["0", "0.0", "none"], ["0", "0.0", "none"]),  # one is no number, so that all are texts
        (["12345678901234567", "12345678901234568"], ["12345678901234567", "12345678901234568"]),
        (["1_0", "10"], ["10", "1_0"]),
        (["1e300", "1e-300"], ["1E-300", "1E+300"]),
        (["inf", "nan", "1"], ["1", "inf", "nan"]),
    ],
)
def test_what_means_the_same_is_one_class(written, classes):
    assert ordered(merged(written)[0]) == classes


@given(
    st.lists(st.one_of(st.text(max_size=5), st.floats(allow_nan=False).map(str), st.integers().map(str)), min_size=1)
)
def test_merging_is_settled_after_once_and_the_order_is_that_of_no_process(labels):
    once, _ = merged(labels)
    assert merged(once)[0] == once
    assert ordered(once) == ordered(random.Random(0).sample(once, len(once)))


def test_classes_that_are_named_go_the_same_way():
    assert merged(["0", "1.0"], ["0.0", "1"]) == (["0", "1"], ["0", "1"])
    assert merged(["0.0", "x"], ["0", "1"]) == (["0", "x"], ["0", "1"])
    assert merged(["0", "1.0"], ["no", "yes"]) == (["0", "1.0"], ["no", "yes"])


def test_the_order_does_not_change_with_the_seed_of_hashes():
    code = "from mmjax.data.folder.labels import *; print(ordered(merged(['b', 'B', 'a', '1', '1.0'])[0]))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "123"
    }
    assert len(said) == 1
