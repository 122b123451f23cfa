"""The same numbers are of the same kind however they are written, and what is nearly one is not guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmjax.data.folder.target_kind import kind_of
from mmjax.errors import InputError


def where(row, column):
    return f"t.csv, line {row + 2}, column {column!r}"


# Two decimals: three after a comma alone may be thousands.
@given(st.lists(st.floats(-999, 999).map(lambda value: f"{value:.2f}"), min_size=1, max_size=40))
def test_a_decimal_comma_changes_nothing(cells):
    assert kind_of({"y": [cell.replace(".", ",") for cell in cells]}, where) == kind_of({"y": cells}, where)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.sampled_from(["{} kg", "{}kg", "{}%", "$ {}", "{} °"]))
def test_a_unit_is_always_asked_for(numbers, write):
    with pytest.raises(InputError, match="line 2, column 'y'.*say `kind: regression`, or say `kind: multiclass`"):
        kind_of({"y": [write.format(number) for number in numbers]}, where)


@given(st.lists(st.text("abcXYZ -", min_size=1), min_size=1))
def test_words_are_classes(cells):
    assert kind_of({"y": cells}, where) == "classes"
