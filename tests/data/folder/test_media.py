"""Which file belongs to which example: by its path, by plain numbers, or not at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmjax.data.folder.media import names_by_key, names_in_order
from mmjax.errors import InputError

PLACE = Path("scans")


@given(st.integers(0, 1), st.integers(1, 130), st.sampled_from(["", "p", "left/scan_", "7-"]), st.booleans())
def test_a_running_number_is_the_order_of_the_rows(first, n, before, padded):
    names = [f"{before}{place:04d}.png" if padded else f"{before}{place}.png" for place in range(first, first + n)]
    assert names_in_order(PLACE, sorted(names), "task.yaml, line 2").tolist() == names


@pytest.mark.parametrize(
    "names",
    [
        ["anna.png", "ben.png"],
        ["1.png", "3.png"],
        ["1.png", "1.jpg"],
        ["5.png", "6.png"],
        ["left/1.png", "right/2.png"],
        ["a1.png", "b2.png"],
    ],
)
def test_an_order_that_would_be_a_guess_is_refused(names):
    with pytest.raises(InputError, match="task.yaml, line 2: .*guess; say `id`, or `names"):
        names_in_order(PLACE, names, "task.yaml, line 2")


def test_files_belong_to_the_keys_that_are_their_paths_or_names():
    names = ["left/p0.png", "right/p0.png", "left/p1.png", "p.2.png"]
    found, told = names_by_key(PLACE, names, ["left/p0", "right/p0", "p1", "p.2", "none", "left/p1.png"])
    assert found.tolist() == ["left/p0.png", "right/p0.png", "left/p1.png", "p.2.png", "", "left/p1.png"] and not told
    assert names_by_key(PLACE, names, ["p1"])[1] == ["3 of 4 files belong to no row, as left/p0.png"]


@pytest.mark.parametrize("names", [["a.png", "a.jpg"], ["left/a.png", "right/a.png"]])
def test_two_files_of_one_key_are_refused(names):
    with pytest.raises(InputError, match=f"{min(names)} and {max(names)} may both be the file of 'a'"):
        names_by_key(PLACE, names, ["a"])
