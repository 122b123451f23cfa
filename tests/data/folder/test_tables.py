"""Tables as people save them: every encoding, separator and quoting that says what it is, and the line of every row."""

import pandas as pd
import pytest

from mmjax.data.folder.separated import sniff
from mmjax.data.folder.tables import read_table
from mmjax.errors import InputError


def table(folder, content, name="t.csv", delimiter=""):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(folder / name, delimiter)


def refused(folder, content, name="t.csv", delimiter=""):
    with pytest.raises(InputError) as error:
        table(folder, content, name, delimiter)
    sentence = str(error.value)
    assert "\n" not in sentence and len(sentence) < 400 and "from its source" not in sentence
    return sentence.removeprefix(str(folder / name))


@pytest.mark.parametrize(
    "content, lines",
    [
        ("a,b\n1,2\n3,4\n", [2, 3]),
        ("a,b\n\n1,2\n\n\n3,4", [3, 6]),
        ('a,b\n"x\ny",2\n"\n\n",4\n5,6\n', [2, 4, 7]),
        ('a,"b\nc"\n1,2\n', [3]),
        ("a,b\r\n1,2\r\n3,4\r\n", [2, 3]),
        ("a,b\r1,2\r\r3,4\r", [2, 4]),
        ('a,b\r"x\ry",2\r3,4', [2, 4]),
        ("sep=,\na,b\n1,2\n", [3]),
        ("\ufeffa,b\n1,2\n", [2]),
        ("a,b\n   \n1,2\n", [3]),
    ],
)
def test_a_row_stands_in_the_line_in_which_it_begins(tmp_path, content, lines):
    found = table(tmp_path, content)
    assert [found.where(row, "a") for row in range(found.rows)] == [
        f"{tmp_path / 't.csv'}, line {line}, column 'a'" for line in lines
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("name", ["t.csv", "T.CSV", "t.Csv"])
def test_what_says_its_encoding_is_read(tmp_path, encoding, name):
    found = table(tmp_path, "naïve,b\nélan,图\n".encode(encoding), name)
    assert list(found.strings("naïve")) == ["élan"] and list(found.strings("b")) == ["图"]


@pytest.mark.parametrize(
    "content, name, delimiter",
    [
        ("a,b\n1,x\n", "t.csv", ""),
        ("a\tb\n1\tx\n", "t.tsv", ""),
        ("a\tb\n1\tx\n", "T.TSV", ""),
        ("a;b\n1;x\n", "t.csv", ";"),
        ("sep=;\r\na;b\r\n1;x\r\n", "t.csv", ""),
        ("SEP=|\na|b\n1|x\n", "t.csv", ""),
        ('a, b\n1, "x"\n', "t.csv", ""),
        (" a , b \n 1 ,x \n", "t.csv", ""),
        ('"a","b"\n"1","x"\n', "t.csv", ""),
    ],
)
def test_columns_are_told_apart(tmp_path, content, name, delimiter):
    found = table(tmp_path, content, name, delimiter)
    assert list(found.frame.columns) == ["a", "b"] and list(found.strings("b")) == ["x"]
    assert list(found.strings("a")) == ["1"]


def test_cells_are_read_however_long(tmp_path):
    length = 300_000  # more than the 131,072 that Python's csv takes by itself
    assert len(table(tmp_path, f"a,b\n{'x' * length},1\n").strings("a")[0]) == length


def test_words_for_nothing_are_nothing_but_stay_to_be_seen(tmp_path):
    found = table(tmp_path, "a,b\nNone, NA \nx,\n")
    assert list(found.strings("a")) == ["", "x"] and list(found.cells("a")) == ["None", "x"]
    assert list(found.strings("b")) == ["", ""] and list(found.cells("b")) == ["NA", ""]


def test_letters_that_look_alike_are_alike(tmp_path):
    found = table(tmp_path, "cafe\u0301,b\nnai\u0308ve,1\n")
    assert list(found.strings("caf\u00e9")) == ["na\u00efve"] == list(found.strings("cafe\u0301 "))


def test_columns_without_a_name_have_their_place(tmp_path):
    found = table(tmp_path, ",a,\n0,1,2\n")
    assert list(found.frame.columns) == ["Unnamed: 0", "a", "Unnamed: 2"]


@pytest.mark.parametrize(
    "content, told",
    [
        ("a,b\nx,1\nfièvre,2\n".encode("latin-1"), ", line 3: byte 0xe8 is no UTF-8; save the file as UTF-8"),
        ("a,b\rx,1\rfièvre,2\r".encode("cp1252"), ", line 3: byte 0xe8 is no UTF-8; save the file as UTF-8"),
        ("a,b\nx,1\n".encode("utf-16") + b"\x00", " is no UTF-16; save the file as UTF-8"),
        ("a,b\nx,1\n".encode("utf-16-le"), ", line 1: holds a NUL"),
        ("a,b\nx,\0\n", ", line 2: holds a NUL"),
        (b"PK\x03\x04rest", " is a spreadsheet or zip archive, and no text; save it as CSV"),
        (b"\x1f\x8brest", " is compressed, and no text"),
        ('a,b\n1,2\n3,"x\n4,5\n6,7\n', ", line 3: a quote is opened and never closed"),
        ('a,b\n1,2\n3,"x"y\n4,5\n', ", line 3: something follows a closing quote"),
        ('a,b\n\n1,"2\n3",4\n', ", lines 3 to 4, which quotes join,: has 3 columns and the heading 2"),
        ("a,b\n1,2\n3\n", ", line 3: has 1 columns and the heading 2"),
        ("a,a\n1,2\n", ", line 1: column 'a' is there twice"),
        ("sep=,\na,a\n1,2\n", ", line 2: column 'a' is there twice"),
        ("a;b\n1;2\n", ", line 1: 'a;b' is one column if ',' stands between columns; say `delimiter: ';'`"),
        ("a\tb\n1\t2\n", "say `delimiter: tab` in task.yaml"),
        ("", " is empty"),
        ("\n\n", " is empty"),
        ("a,b\n", " has no line of data"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_line_and_a_remedy(tmp_path, content, told):
    assert told in refused(tmp_path, content)


def test_a_column_that_is_not_there_is_told_by_the_nearest(tmp_path):
    names = [f"gene {place:05d}" for place in range(20_000)]
    found = table(tmp_path, "\n".join([",".join(names), *[",".join("1" * len(names))] * 3]))
    with pytest.raises(InputError) as error:
        found.strings("gen 00042")
    assert "did you mean 'gene 00042'" in str(error.value) and len(str(error.value)) < 400


def test_whole_numbers_of_parquet_stay_whole_beside_empty_cells(tmp_path):
    frame = pd.DataFrame({"code": pd.array([1, None, 3], "Int64"), "x": [0.5, None, 2.0], "word": ["a", None, "NA"]})
    frame.to_parquet(tmp_path / "t.PARQUET")
    found = read_table(tmp_path / "t.PARQUET")
    assert list(found.strings("code")) == ["1", "", "3"] and list(found.strings("x")) == ["0.5", "", "2.0"]
    assert list(found.strings("word")) == ["a", "", ""] and found.where(2, "code").endswith("row 2, column 'code'")


@pytest.mark.parametrize(
    "content, mark",
    [
        ("a;b\n1,5;2\n3,5;4\n", ";"),
        ("a,b\n1;2,3\n", ","),
        ("a\tb, c\td\n1\t2\t3\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('a;b\n"x;y";2\n', ";"),
        ("sep=|\na|b\n1|2\n", "|"),
        ("a\n1\n2\n", ","),
        ("", ","),
    ],
)
def test_what_stands_between_columns_is_seen(tmp_path, content, mark):
    (tmp_path / "t.csv").write_text(content)
    assert sniff(tmp_path / "t.csv") == mark
