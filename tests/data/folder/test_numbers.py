"""Cells as numbers: what a column says is read, what it leaves open is refused, and codes stay codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmjax.data.folder.numbers import category_of, number_in_cell, read_numbers, type_of
from mmjax.errors import InputError

MEASURED = [f"{30 + place / 10:.1f}" for place in range(40)]


def where(row):
    return f"t.csv, line {row + 2}, column 'age'"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["54.7", "", "-3", "1e3", "+.5"], [54.7, np.nan, -3, 1000, 0.5]),
        (["36,6", "37", "1.250,5"], [36.6, 37, 1250.5]),
        (["1,250.5", "999", "12"], [1250.5, 999, 12]),
        (["1,250", "999.5"], [1250, 999.5]),
        (["1,250", "36,6"], [1.25, 36.6]),
        (["1,250,000", "3"], [1250000, 3]),
        (["1 250", "1\u202f250,5", "−3"], [1250, 1250.5, -3]),
        (["1'250.5", "3"], [1250.5, 3]),
        (["0,123", "0,5"], [0.123, 0.5]),
        (["1.250", "2.500"], [1.25, 2.5]),  # a point alone is a decimal point
        (["5", "?", "-", "--", ".", "#N/A", "#DIV/0!", " - ", "<NA>"], [5, *[np.nan] * 8]),
    ],
)
def test_what_a_column_says_is_read(cells, expected):
    np.testing.assert_array_equal(read_numbers(cells, where).values, expected)
    assert type_of("age", cells, where) == ("number", "")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1,250", "3"], ("line 2", "1.25", "1250", "decimal point")),
        (["36.6", "36,6"], ("line 3", "'36,6'", "decimal mark")),
        (["1", "12 kg"], ("line 3", "'12 kg'", "no number")),
        (["1", "-inf"], ("line 3", "'-inf'", "not finite")),
        (["1", "1e999"], ("line 3", "not finite")),
        (["1", "1e40"], ("line 3", "'1e40'", "beyond 3.4e+38", "float32")),
        (["-1e300"] * 3, ("line 2", "'-1e300'", "beyond 3.4e+38", "float32")),
        (["1,5", "3,5e38"], ("line 3", "'3,5e38'", "beyond 3.4e+38")),
        (["1", "1_000"], ("line 3", "'1_000'", "no number")),
        (["1", "1,25,0"], ("line 3", "'1,25,0'")),
    ],
)
def test_what_a_column_leaves_open_is_refused_by_its_cell(cells, words):
    with pytest.raises(InputError) as error:
        read_numbers(cells, where)
    for word in words:
        assert word in str(error.value)


def test_a_column_of_huge_numbers_is_no_category_and_the_largest_of_float32_is_kept():
    assert type_of("age", ["1e300", "2e300"], where) == ("number", "")
    assert np.isfinite(np.float32(read_numbers(["3.4028234e38", "-3.4028234e38"], where).values)).all()


@pytest.mark.parametrize("odd", ["12 kg", "36,6", "n.a.", "unknown", "<5", "3A", "12kg", "1O.5"])
def test_a_column_of_numbers_is_never_a_category(odd):
    """The sentence names the cell, its line and column, and how to say that it is a category."""
    with pytest.raises(InputError) as error:
        type_of("age", [*MEASURED[:7], odd, *MEASURED[7:]], where)
    for word in ("line 9", "'age'", repr(odd), "categories: [age]", "of the column's 41"):
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("cells", "warned"),
    [
        (["1", "2", "3A"] * 9, True),
        (["0-9", "10-19", "20"] * 9, False),
        (["1", "2", "3", "4+"] * 9, True),
        (["1", "2"] * 9 + ["3A", "3A"], True),
        (["5 mg", "10 mg"] * 9, True),
        (["C", "A", "B"] * 9, False),
        (["1", "other", "none given"] * 9, False),
        ([f"A{place}" for place in range(30)], False),
    ],
)
def test_codes_are_categories(cells, warned):
    kind, warning = type_of("ward", cells, where)
    assert kind == "category" and bool(warning) == warned
    assert not warned or ("categories: [ward]" in warning and cells[-1] in warning)


@pytest.mark.parametrize("write", ["{}%", "{} kg", "$ {}", "{} €", "{}°", "{} mg."])
def test_numbers_with_a_unit_are_no_categories(write):
    words = "line 2.*is no number alone, and 100% of the column's 40 cells hold numbers with a unit; write the numbers"
    with pytest.raises(InputError, match=words):
        type_of("dose", [write.format(number) for number in MEASURED], where)


def test_a_slip_among_few_numbers_is_no_code():
    with pytest.raises(InputError, match="line 11, column 'age': '3A'"):
        type_of("ward", [*["1", "2", "3"] * 3, "3A"], where)


def test_few_whole_numbers_and_a_word_are_refused_and_not_guessed():
    with pytest.raises(InputError, match="'many'"):
        type_of("ward", ["1", "2", "3", "many"] * 9, where)


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 3)))
def test_a_number_is_the_same_in_every_country(value):
    """What Python writes with points and commas is read again under either mark."""
    english = f"{value:,}"
    if "e" not in english:
        assert number_in_cell(english, ".") == value
        assert number_in_cell(english.translate(str.maketrans(",.", ".,")), ",") == value


@given(st.lists(st.sampled_from(["36,6", "37", "1.250", "1.250,5", "-", ""]), min_size=1), st.integers(0, 99))
def test_with_the_mark_of_training_a_cell_is_read_alike_whatever_stands_beside_it(cells, place):
    place %= len(cells)
    alone = read_numbers([cells[place]], where, ",.").values[0]
    np.testing.assert_array_equal(read_numbers(cells, where, ",.").values[place], alone)


@pytest.mark.parametrize(
    ("value", "name"), [("1.0", "1"), (2.0, "2"), ("3A", "3A"), ("1.5", "1.5"), ("", ""), (7, "7")]
)
def test_whole_categories_are_the_same_in_every_file(value, name):
    assert category_of(value) == name


@pytest.mark.parametrize(
    ("trained", "marks", "new", "read"),
    [
        (["38.415", "1"], ".", "38,415", None),
        (["36,6", "1"], ",", "38.415", None),
        (["38415", "1"], ".", "38,415", None),
        (["36,6", "1"], ",", "-.415", None),
        (["1,250.5", "1"], ".,", "38,415", 38415),  # training had thousands
        (["1.250,5", "1"], ",.", "38.415", 38415),
        (["36,6", "1"], ",", "1.250,5", 1250.5),  # both marks, or one twice, leave no doubt
        (["38.4", "1"], ".", "1,250,000", 1250000),
        (["38.4", "1"], ".", "1 250", 1250),
    ],
)
def test_a_mark_that_training_did_not_have_is_no_mark_of_thousands(trained, marks, new, read):
    assert read_numbers(trained, where).marks == marks
    if read is not None:
        assert read_numbers([new], where, marks).values == [read]
        return
    with pytest.raises(InputError, match="line 2, column 'age'.*trained on numbers with the decimal mark|is no number"):
        read_numbers([new], where, marks)
