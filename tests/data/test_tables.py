"""Tables in CSV: what is read, and what is refused in a sentence."""

import numpy as np
import pytest

from mmjax.data.tables import read_table
from mmjax.errors import InputError

COLUMNS, RANGES = ("city", "age"), {"age": (0, 99)}
LINES = ["age;note;city", "7;x;Porto", '"12";y;"Vila Real"', "99;z;Évora"]


def read(folder, lines, **settings):
    path = folder / "table.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_table(path, COLUMNS, RANGES, separator=";", **settings)


def test_columns_are_read_by_name(tmp_path):
    columns = read(tmp_path, LINES)
    assert list(columns) == ["city", "age"]
    assert columns["city"].tolist() == ["Porto", "Vila Real", "Évora"] and columns["city"].dtype == object
    np.testing.assert_array_equal(columns["age"], np.array([7, 12, 99], np.float32))
    assert columns["age"].dtype == np.float32


def test_words_that_pandas_takes_for_missing_stay_words(tmp_path):
    assert read(tmp_path, ["age;city", "7;NA"])["city"].tolist() == ["NA"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    assert list(read(tmp_path, ["\ufeffcity;age", "Porto;7"])) == ["city", "age"]


def test_of_a_longer_file_the_first_rows_are_read(tmp_path):
    assert read(tmp_path, LINES, rows=2)["age"].tolist() == [7, 12]


@pytest.mark.parametrize("value", ["old", "", "-1", "100", "nan", "inf"])
def test_what_is_no_number_in_range_is_named(tmp_path, value):
    with pytest.raises(InputError, match=f"table.csv: line 3, age is '{value}'; accepted are numbers from 0 to 99"):
        read(tmp_path, ["age;city", "7;Porto", f"{value};Porto"])


def test_an_empty_category_is_named(tmp_path):
    with pytest.raises(InputError, match="line 3, city is ''"):
        read(tmp_path, ["age;city", "7;Porto", "8;"])


def test_a_line_that_ends_early_is_named(tmp_path):
    with pytest.raises(InputError, match="line 4, city is ''"):
        read(tmp_path, [*LINES[:3], "99"])


@pytest.mark.parametrize(("heading", "missing"), [("age;town", "city"), ("age,city", "city"), ("city", "age")])
def test_a_missing_column_is_named(tmp_path, heading, missing):
    with pytest.raises(InputError, match=f"no column '{missing}'; it must have a heading and ';' between columns"):
        read(tmp_path, [heading, "7;Porto" if ";" in heading else "7"])


def test_a_heading_alone_is_refused(tmp_path):
    with pytest.raises(InputError, match="no line of data"):
        read(tmp_path, LINES[:1])


@pytest.mark.parametrize("content", [b"", b"age;city\n\xff\xfe;\xff", b"age;city\n1;a;b;c\n1;a"])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(InputError, match="table.csv"):
        read_table(tmp_path / "table.csv", COLUMNS, RANGES, separator=";")
